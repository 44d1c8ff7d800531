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

// A link to a promise that is folded away unfolds it, and a link to a claim what stands below it. Some
// browsers do the first by themselves.
function unfold() {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    const folds = [...document.querySelectorAll('[id^=claim-]:target + details')];
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

// Replays the recordings of a figure as they ran, all on its one time axis: a cursor moves through
// the pictures, what has not happened yet is veiled, and the lines of the transcripts appear when
// they came. The last of them stands below its picture, so that nobody has to unfold a transcript
// to follow.
//
// The replay stands at its end until somebody plays it, so that everything is shown; there, play
// begins anew. Without this script, and on paper, the figure is whole and has nothing to press.
//
// Whoever asked the system for less motion gets a button that steps from line to line.
const calm = matchMedia('(prefers-reduced-motion: reduce)').matches;

function replay(figure) {
    const span = Number(figure.dataset.span);
    const seconds = time => `${Math.round(time * 100) / 100} s`;

    figure.insertAdjacentHTML('afterbegin', `<div class="replay" role="group">
        <button type="button"></button>
        <input type="range" max="100" aria-label="Time">
        <select aria-label="Speed" ${calm ? 'hidden' : ''}>
            <option value="0.2">0.2×</option><option value="1" selected>1×</option><option value="2">2×</option><option value="5">5×</option>
        </select>
        <span></span></div>`);
    const controls = figure.firstChild;
    const [button, scrubber, speed, clock] = controls.children;
    const commands = [...figure.querySelectorAll('p')].map(command => command.textContent);
    controls.setAttribute('aria-label', `Replay of ${commands.join(' and ')}`);

    const pictures = [...figure.querySelectorAll('.timeline')].map(picture => {
        const axis = picture.querySelector('.axis line');
        const [left, right, bottom] =
            ['x1', 'x2', 'y1'].map(name => parseFloat(axis.getAttribute(name)));
        picture.querySelector('.labels').insertAdjacentHTML('beforebegin',
            `<rect class="veil" y="16" height="${bottom - 17}"></rect>
            <svg class="cursor" overflow="visible"><line y1="16" y2="${bottom}"></line>
            <path d="M0 ${bottom} l-5 8 h10 Z"></path></svg>`);
        picture.insertAdjacentHTML('afterend', `<samp class="now" ${calm ? 'aria-live="polite"' : ''}></samp>`);
        const move = time => {
            const x = left + (right - left) * time / span;
            picture.querySelector('.cursor').setAttribute('x', `${x}%`);
            picture.querySelector('.veil').setAttribute('x', `${x}%`);
            picture.querySelector('.veil').setAttribute('width', `${100 - x}%`);
        };
        return { move, now: picture.nextSibling };
    });
    // The transcripts stand in the order of the pictures. What has no time is known at the end.
    const transcripts = [...figure.querySelectorAll('.transcript')].map(transcript =>
        [...transcript.children].map(line => (
            { line, at: Number(line.dataset.at ?? transcript.dataset.ended) })));
    const moments = transcripts.flat().map(({ at }) => at).sort((one, other) => one - other);

    let time = span;
    let frame = 0;

    function show() {
        const said = `${seconds(time)} of ${seconds(span)}`;
        scrubber.value = 100 * time / span;
        scrubber.setAttribute('aria-valuetext', said);
        clock.textContent = said;
        figure.classList.toggle('replaying', time < span);
        pictures.forEach(({ move }) => move(time));
        for (const { line, at } of transcripts.flat()) {
            line.classList.toggle('ahead', at > time);
        }
    }

    function moveTo(goal) {
        time = Math.min(goal, span);
        show();
        pictures.forEach(({ now }, index) => {
            const said = transcripts[index].filter(({ line, at }) => line.dataset.at && at <= time);
            now.textContent = said.at(-1)?.line.textContent.trim() ?? '';
        });
    }

    function pause() {
        cancelAnimationFrame(frame);
        frame = 0;
        button.textContent = calm ? 'Step' : 'Play';
    }

    function play() {
        let last = performance.now();
        button.textContent = 'Pause';
        frame = requestAnimationFrame(function tick(now) {
            // The first frame may have begun before the press.
            const passed = Math.max(now - last, 0) / 1000;
            last = Math.max(now, last);
            moveTo(time + passed * speed.value);
            if (time < span) {
                frame = requestAnimationFrame(tick);
            } else {
                pause();
            }
        });
    }

    button.addEventListener('click', () => {
        if (frame) {
            pause();
            return;
        }
        const next = time < span ? time : -1;
        if (calm) {
            moveTo(moments.find(moment => moment > next) ?? span);
        } else {
            moveTo(Math.max(next, 0));
            play();
        }
    });
    scrubber.addEventListener('input', () => {
        pause();
        moveTo(span * scrubber.value / 100);
    });
    // mdBook turns pages and opens its search on keys that are pressed anywhere.
    controls.addEventListener('keydown', event => event.stopPropagation());
    pause();
    show();
}
document.querySelectorAll('.recording').forEach(replay);
