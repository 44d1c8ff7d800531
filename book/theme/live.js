// What a page can do while `cargo run` serves it: predict, run, send signals, check.
//
// The server tells that it is there in the answer that brought the page, so that a page from elsewhere
// asks nobody. What it may be asked, it has a token for: it stands in the address that the server has
// printed, and is kept for this server's other pages. Without it nothing is added to the page.
const STORED = 'workbook-token';
const [navigation] = performance.getEntriesByType('navigation');
const start = navigation?.serverTiming?.find(({ name }) => name === 'workbook')?.description;

const ENDED = 'The server of this book has ended; cargo run starts it again.';
let token;
let stale;

function takeToken() {
    const given = /[#&]token=([0-9a-f]+)/.exec(location.hash);
    if (given) {
        localStorage.setItem(STORED, JSON.stringify({ start, token: given[1] }));
        history.replaceState(null, '', location.pathname + location.search);
    }
    const stored = JSON.parse(localStorage.getItem(STORED));
    token = stored?.start === start ? stored?.token : undefined;
    stale = stored && !token;
}

// Each load is a page of its own: its runs share a directory until it starts over.
const page = String(Math.random()).slice(2);

function ask(path, body, signal) {
    return fetch(`/api/${path}`, {
        method: body ? 'POST' : 'GET',
        headers: { 'x-workbook-token': token },
        body: body && JSON.stringify(body),
        cache: 'no-store',
        signal,
    });
}

// Asks for something to be done; what it gives is why that was not done.
async function tell(path, body) {
    try {
        const answer = await ask(path, body);
        return answer.ok ? '' : await answer.text();
    } catch {
        return ENDED;
    }
}

function element(name, properties = {}, ...children) {
    const made = Object.assign(document.createElement(name), properties);
    made.append(...children);
    return made;
}

// A line above the page.
function headline(text) {
    document.querySelector('main').prepend(element('p', { className: 'status', role: 'status' }, text));
}

function button(text, act, properties = {}) {
    const made = element('button', { type: 'button', textContent: text, ...properties });
    made.addEventListener('click', act);
    return made;
}

// Makes one element like another and leaves alone what is the same: a selection, a fold that was
// opened, the dot under the pointer.
function become(old, fresh) {
    if (old.isEqualNode(fresh)) {
        return;
    }
    if (old.nodeType !== Node.ELEMENT_NODE || old.nodeName !== fresh.nodeName) {
        old.replaceWith(fresh);
        return;
    }
    for (const name of new Set([...old.getAttributeNames(), ...fresh.getAttributeNames()])) {
        const value = fresh.getAttribute(name);
        if (value === null && name !== 'open') {
            old.removeAttribute(name);
        } else if (value !== null && value !== old.getAttribute(name)) {
            old.setAttribute(name, value);
        }
    }
    const [now, then] = [[...old.childNodes], [...fresh.childNodes]];
    then.forEach((node, index) => index < now.length ? become(now[index], node) : old.append(node));
    now.slice(then.length).forEach(node => node.remove());
}

function parsed(html) {
    const template = document.createElement('template');
    template.innerHTML = html;
    // As mdBook marks it elsewhere.
    template.content.querySelectorAll('code').forEach(code => { code.className = 'hljs'; });
    return template.content;
}

// The lines of JSON of an answer, as they come.
async function* lines(answer) {
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = '';
    for (;;) {
        const { value, done } = await reader.read();
        if (done) {
            return;
        }
        const all = (rest + value).split('\n');
        rest = all.pop();
        yield* all.map(line => JSON.parse(line));
    }
}

const panels = [];

// The buttons of one command, and all that comes of it.
function panel({ id, command, check, questions }, named) {
    const status = element('p', { className: 'status', role: 'status' });
    const build = element('pre', { className: 'build', hidden: true, tabIndex: 0, ariaLabel: 'Build' });
    const shown = element('div', { className: 'shown' });
    const signals = ['SIGINT', 'SIGTERM', 'SIGKILL'].map(signal => button(signal, async () => {
        const problem = await tell('signal', { run, signal });
        if (problem && controller) {
            status.textContent = problem;
        }
    }, { hidden: true }));
    const run_ = button(check ? 'Check' : 'Run', () => controller ?? begin(false),
        { ariaLabel: `${check ? 'Check' : 'Run'}: ${command}` });
    const save = button('Check on save', () => save.ariaPressed === 'true' ? end() : begin(true),
        { ariaPressed: 'false' });
    const stop = button('Stop', () => end(), { hidden: true });
    const over = button('Start over', async () => {
        status.textContent = await tell('over', { page }) || 'The next run has an empty directory.';
        shown.replaceChildren();
        run_.focus();
        over.hidden = true;
    }, { hidden: true });
    const root = element('div', { className: 'run', role: 'group', ariaLabel: command },
        run_, ...(check ? [save] : []), ...signals, stop, over,
        ...(named ? [element('code', { className: 'hljs' }, command)] : []), status, build, shown);
    // What is under way; the run, its number, and whether its end was told.
    let controller;
    let run;
    let figure;
    let isTold;

    // Whoever stands on a button that goes stands on the first one then.
    function hide(...buttons) {
        const isLost = buttons.includes(document.activeElement);
        buttons.forEach(one => { one.hidden = true; });
        if (isLost) {
            run_.focus({ preventScroll: true });
        }
    }

    function end(why = 'Stopped.') {
        controller?.abort(why);
    }

    async function begin(onSave) {
        end();
        const own = controller = new AbortController();
        // A button that is disabled would lose the focus.
        run_.ariaDisabled = 'true';
        save.ariaPressed = String(onSave);
        stop.hidden = false;
        hide(over);
        status.textContent = 'Starting …';
        shown.replaceChildren();
        try {
            const answer = await ask('run', { id, page, on_save: onSave }, own.signal);
            if (answer.ok) {
                for await (const told of lines(answer)) {
                    take(told, onSave);
                }
            } else {
                await refused(answer);
            }
            if (answer.ok && !isTold) {
                status.textContent = ENDED;
            }
        } catch {
            if (controller === own) {
                status.textContent = own.signal.aborted ? own.signal.reason : ENDED;
            }
        } finally {
            if (controller === own) {
                controller = undefined;
                run_.ariaDisabled = save.ariaPressed = 'false';
                hide(...signals, stop);
            }
        }
    }

    async function refused(answer) {
        status.textContent = await answer.text();
        if (answer.status === 409) {
            const runs = await (await ask('runs')).json();
            status.append(`: ${runs.map(({ command }) => command).join(', ')}. `, stopAll(status));
        }
    }

    function take(told, onSave) {
        if (told.run) {
            run = told.run;
            figure = undefined;
            isTold = false;
            build.textContent = '';
        }
        if (told.build) {
            status.textContent = 'Building …';
            build.hidden = false;
            build.textContent += told.build.join('\n') + '\n';
            build.scrollTop = build.scrollHeight;
        }
        if (told.picture) {
            const fresh = parsed(told.picture).firstElementChild;
            if (figure) {
                become(figure, fresh);
            } else {
                figure = fresh;
                figure.querySelector('details').open = true;
                shown.replaceChildren(figure);
                build.hidden = true;
                status.textContent = 'Running …';
                signals.forEach(one => { one.hidden = false; });
            }
        }
        if (told.failed) {
            const isLong = told.failed.trim().includes('\n');
            status.textContent = isLong ? 'It was not run.' : told.failed;
            shown.replaceChildren(...(isLong ? [element('pre', { className: 'build', tabIndex: 0 }, told.failed)] : []));
        }
        if (told.done) {
            const fresh = parsed(told.done);
            const drawn = fresh.querySelector('figure');
            if (figure) {
                // It stays where it is, with whatever the reader has marked in it.
                become(figure, drawn);
                const all = [...fresh.childNodes];
                figure.before(...all.slice(0, all.indexOf(drawn)));
                figure.after(...all.slice(all.indexOf(drawn) + 1));
            } else {
                shown.replaceChildren(fresh);
            }
            shown.querySelectorAll('.recording').forEach(replay);
            const verdict = { true: ' All promises are kept.', false: ' Not all promises are kept.' };
            status.textContent = told.status + (verdict[told.kept] ?? '');
            over.hidden = check || id.startsWith('exercise::');
            predictions.get(id)?.(told.values);
        }
        if (told.failed || told.done) {
            isTold = true;
            build.hidden = true;
            if (onSave) {
                hide(...signals);
                status.textContent += ' It is checked again when the exercise is saved.';
            }
        }
    }

    // mdBook turns pages and opens its search on keys that are pressed anywhere.
    root.addEventListener('keydown', event => event.stopPropagation());
    panels.push({ id, root, questions, end, status });
    return root;
}

// By the job of the run: what is done with what it has come to.
const predictions = new Map();

// A form for what the reader predicts of the first run that follows.
function predict(paragraph) {
    const follows = ({ root }) =>
        paragraph.compareDocumentPosition(root) & Node.DOCUMENT_POSITION_FOLLOWING;
    const asked = panels.find(one => follows(one) && one.questions.length);
    if (!asked || predictions.has(asked.id)) {
        return;
    }
    const fields = asked.questions.map(({ id, label }) => {
        const input = element('input', { type: 'text', size: 8, autocomplete: 'off' });
        const told = element('span');
        return { id, input, told, row: element('p', {}, element('label', {}, input, ` ${label}`), ' ', told) };
    });
    const form = element('form', { className: 'predict' }, ...fields.map(({ row }) => row),
        element('p', {}, 'Held against your next run of ', element('code', {}, asked.root.ariaLabel),
            '; it stays in this page.'));
    form.addEventListener('submit', event => event.preventDefault());
    form.addEventListener('keydown', event => event.stopPropagation());
    paragraph.after(form);
    predictions.set(asked.id, values => {
        let any = false;
        for (const { id, input, told } of fields) {
            const found = values.find(value => value.id === id);
            const said = input.value.trim().replace(/ ?s$/, '').replace(',', '.');
            if (!found || !said) {
                told.textContent = '';
                continue;
            }
            any = true;
            const [mine, its] = [Number(said), Number(found.value)];
            const is = Number.isNaN(mine) || Number.isNaN(its)
                ? said.toLowerCase() === found.value.toLowerCase()
                : Math.abs(mine - its) <= found.about;
            told.textContent = is ? `as in this run: ${found.value}` : `in this run: ${found.value}`;
            told.className = is ? 'yes' : 'no';
        }
        const fold = form.nextElementSibling;
        if (any && fold?.matches('details')) {
            fold.open = true;
        }
    });
}

function stopAll(status) {
    return button('Stop all', async () => {
        status.textContent = await tell('stop', {}) || 'All were stopped.';
    });
}

// What runs, here and on other pages, asked for when it is unfolded.
function underWay() {
    const list = element('p', { role: 'status' });
    const fold = element('details', { className: 'run' },
        element('summary', {}, 'What is under way'), list);
    fold.addEventListener('toggle', async () => {
        if (!fold.open) {
            return;
        }
        try {
            const runs = await (await ask('runs')).json();
            list.textContent = runs.map(({ command }) => command).join(', ') || 'Nothing.';
            list.append(...(runs.length ? [' ', stopAll(list)] : []));
        } catch {
            list.textContent = ENDED;
        }
    });
    return fold;
}

async function enliven() {
    let answer;
    try {
        answer = await ask(`page/${location.pathname.slice(1) || 'index.html'}`);
    } catch {
        return;
    }
    const main = document.querySelector('main');
    if (!answer.ok) {
        headline(`Programs cannot be run from here: ${await answer.text()}.`);
        return;
    }
    const { offers, progress, untraced } = await answer.json();
    const known = new Map(offers.map(offer => [offer.command, offer]));
    for (const code of main.querySelectorAll('pre > code.language-console')) {
        const shown = code.textContent.split('\n').map(line => line.trim());
        const found = [...new Set(shown)].map(line => known.get(line)).filter(Boolean);
        code.closest('pre').after(...found.map(offer => panel(offer, found.length > 1)));
        found.forEach(({ command }) => known.delete(command));
    }
    for (const code of main.querySelectorAll('.promise caption > code, .exercise > .checked > code')) {
        const offer = known.get(code.textContent);
        if (offer) {
            known.delete(offer.command);
            code.closest('.promise').after(panel(offer));
        }
    }
    if (untraced) {
        panels.forEach(({ status }) => {
            status.textContent = `How threads end cannot be seen here: ${untraced}.`;
        });
    }
    if (panels.length) {
        main.append(underWay());
    }
    for (const strong of main.querySelectorAll('p > strong')) {
        if (strong.textContent.startsWith('Predict')) {
            predict(strong.parentElement);
        }
    }
    if (location.pathname === '/map.html') {
        for (const [lesson, how] of Object.entries(progress)) {
            main.querySelector(`a[href$="-${lesson}.html"]`)
                ?.after(element('span', { className: 'progress' }, ` (exercise: ${how})`));
        }
    }
}

if (start) {
    addEventListener('hashchange', () => {
        if (location.hash.includes('token=')) {
            // The server may have been started anew, which only a fresh page knows.
            location.reload();
        }
    });
    // A page that is kept for the way back would keep its run for ever.
    addEventListener('pagehide', () => panels.forEach(({ end }) => end('The page was left, and its run has ended.')));
    takeToken();
    if (token) {
        enliven();
    } else if (stale) {
        headline('The book has been started anew: open the address that it has printed.');
    }
}
