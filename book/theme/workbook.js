// mdBook's sidebar toggle is a <label> with a button's attributes. Make it a button in full.
const toggle = document.getElementById('mdbook-sidebar-toggle');
if (toggle) {
    toggle.setAttribute('role', 'button');
    toggle.tabIndex = 0;
    toggle.addEventListener('keydown', event => {
        if (event.key === 'Enter' || event.key === ' ') {
            event.preventDefault();
            toggle.click();
        }
    });
}

// A link to a promise that is folded away unfolds it. Some browsers do so by themselves.
function unfold() {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    const folds = [];
    for (let fold = target?.closest('details'); fold; fold = fold.parentElement.closest('details')) {
        folds.push(fold);
    }
    if (folds.some(fold => !fold.open)) {
        folds.forEach(fold => { fold.open = true; });
        target.scrollIntoView();
    }
}
window.addEventListener('hashchange', unfold);
unfold();
