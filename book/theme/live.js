// What a page can do while `cargo run` serves it.
//
// The server says that it is there in the answer that brought the page: from elsewhere nobody is asked.
const STORED = 'workbook-token';
const [navigation] = performance.getEntriesByType('navigation');
const start = navigation?.serverTiming?.find(({ name }) => name === 'workbook')?.description;

const ENDED = 'The server of this book has ended; cargo run starts it again.';
let token;

function takeToken() {
    token = /[#&]token=([0-9a-f]+)/.exec(location.hash)?.[1];
    if (token) {
        history.replaceState(null, '', location.pathname + location.search);
    }
    try {
        if (token) {
            localStorage.setItem(STORED, JSON.stringify({ start, token }));
        }
        const stored = JSON.parse(localStorage.getItem(STORED));
        token = stored?.start === start ? stored.token : undefined;
    } catch {
        // A browser that keeps nothing has it on this page alone.
    }
}

// Each load is a page of its own: its runs share a directory until it starts over.
const page = `${location.pathname}#${Math.random()}`;

function ask(path, body, signal) {
    return fetch(`/api/${path}`, {
        method: body ? 'POST' : 'GET',
        headers: { 'x-workbook-token': token },
        body: body && JSON.stringify(body),
        cache: 'no-store',
        signal,
    });
}

// Has something done; gives why it was not.
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

// Makes one element like another, but for what is the same and what was unfolded.
function become(old, fresh) {
    if (old.isEqualNode(fresh)) {
        return;
    }
    if (old.nodeType !== Node.ELEMENT_NODE || old.nodeName !== fresh.nodeName) {
        old.replaceWith(fresh);
        return;
    }
    for (const name of [...old.getAttributeNames(), ...fresh.getAttributeNames()]) {
        const value = fresh.getAttribute(name);
        if (value !== null) {
            old.setAttribute(name, value);
        } else if (name !== 'open') {
            old.removeAttribute(name);
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
    const verb = check ? 'Check' : 'Run';
    const status = element('p', { className: 'status', role: 'status' });
    const build = element('pre', { className: 'build', hidden: true, tabIndex: 0, ariaLabel: 'Build' });
    const shown = element('div', { className: 'shown' });
    const run = button(verb, () => controller ?? begin(false), { ariaLabel: `${verb}: ${command}` });
    const save = button('Check on save', () => save.ariaPressed === 'true' ? end() : begin(true),
        { ariaPressed: 'false' });
    const signals = ['SIGINT', 'SIGTERM', 'SIGKILL'].map(signal => button(signal, async () => {
        const problem = await tell('signal', { run: number, signal });
        if (problem && controller) {
            say(problem);
        }
    }));
    const stop = button('Stop', () => end());
    const over = button('Start over', async () => {
        say(await tell('over', { page }) || 'The next run has an empty directory.');
        shown.replaceChildren();
        hide(over);
    });
    const root = element('div', { className: 'run', role: 'group', ariaLabel: command },
        run, ...(check ? [save] : []), ...signals, stop, over,
        ...(named ? [element('code', { className: 'hljs' }, command)] : []), status, build, shown);
    // What is under way, its number, and how far it is.
    let controller, number, phase;

    const say = text => { status.textContent = text; };

    // Whoever stands on one of them stands on the first one then.
    function hide(...buttons) {
        const isLost = buttons.includes(document.activeElement);
        buttons.forEach(one => { one.hidden = true; });
        if (isLost) {
            run.focus({ preventScroll: true });
        }
    }

    const end = (why = 'Stopped.') => controller?.abort(why);

    async function begin(onSave) {
        end();
        const own = controller = new AbortController();
        // A button that is disabled would lose the focus.
        run.ariaDisabled = 'true';
        save.ariaPressed = String(onSave);
        stop.hidden = false;
        hide(over);
        say('Starting …');
        predictions.get(id)?.([]);
        try {
            const answer = await ask('run', { id, page, on_save: onSave }, own.signal);
            if (answer.ok) {
                for await (const told of lines(answer)) {
                    take(told, onSave);
                }
                if (phase !== 'ended') {
                    say(ENDED);
                }
            } else {
                say(`${await answer.text()}.`);
                if (answer.status === 409) {
                    await listRuns(status);
                }
            }
        } catch {
            if (controller === own) {
                say(own.signal.aborted ? own.signal.reason : ENDED);
                // It would say that it runs.
                shown.replaceChildren();
            }
        } finally {
            if (controller === own) {
                controller = undefined;
                run.ariaDisabled = save.ariaPressed = 'false';
                hide(...signals, stop);
            }
        }
    }

    // What the reader has marked or unfolded in it stays.
    function draw(html) {
        become(shown, element('div', { className: 'shown' }, parsed(html)));
    }

    function take(told, onSave) {
        if (told.run) {
            number = told.run;
            phase = 'begun';
            build.textContent = '';
            shown.replaceChildren();
        }
        if (told.build) {
            say('Building …');
            build.hidden = false;
            build.textContent += told.build.join('\n') + '\n';
            build.scrollTop = build.scrollHeight;
        }
        if (told.picture) {
            if (phase === 'begun') {
                phase = 'drawn';
                build.hidden = true;
                say('Running …');
                shown.replaceChildren(parsed(told.picture));
                shown.querySelector('details').open = true;
                signals.forEach(one => { one.hidden = false; });
            }
            draw(told.picture);
        }
        if (told.failed) {
            const isLong = told.failed.trim().includes('\n');
            say(isLong ? 'It does not compile.' : told.failed);
            shown.replaceChildren(isLong ? element('pre', { className: 'build', tabIndex: 0 }, told.failed) : '');
        }
        if (told.done) {
            draw(told.done);
            shown.querySelectorAll('.recording').forEach(replay);
            const verdict = { true: ' All promises are kept.', false: ' Not all promises are kept.' };
            say(told.status + (verdict[told.kept] ?? ''));
            over.hidden = !told.left;
            predictions.get(id)?.(told.values);
        }
        if (told.over) {
            say(told.over);
        }
        if (told.failed || told.done) {
            phase = 'ended';
            build.hidden = true;
            if (onSave) {
                hide(...signals);
                status.append(' It is checked again when the exercise is saved.');
            }
        }
    }

    hide(...signals, stop, over);
    // mdBook turns pages and opens its search on keys that are pressed anywhere.
    root.addEventListener('keydown', event => event.stopPropagation());
    panels.push({ id, root, questions, end });
    return root;
}

// By the id of a run: what is done with its values.
const predictions = new Map();

// What a reader predicts of the first run that follows.
function predict(paragraph) {
    const asked = panels.find(({ root, questions }) => questions.length && !root.closest('details')
        && paragraph.compareDocumentPosition(root) & Node.DOCUMENT_POSITION_FOLLOWING);
    if (!asked || predictions.has(asked.id)) {
        return;
    }
    const fields = asked.questions.map(({ id, label }) => {
        const [input, told] = [element('input', { size: 8, autocomplete: 'off' }), element('span', { role: 'status' })];
        return { id, input, told, row: element('p', {}, element('label', {}, input, label), ' ', told) };
    });
    const form = element('div', { className: 'predict', role: 'group', ariaLabel: 'Your prediction' },
        ...fields.map(({ row }) => row), element('p', {}, 'Held against your next run of ',
            element('code', {}, asked.root.ariaLabel), '; it stays in this page.'));
    form.addEventListener('keydown', event => event.stopPropagation());
    paragraph.after(form);
    const fold = form.nextElementSibling;
    predictions.set(asked.id, values => {
        for (const { id, input, told } of fields) {
            const found = values.find(value => value.id === id);
            const said = input.value.trim().replace(',', '.');
            told.textContent = '';
            if (found && said) {
                const off = Math.abs(parseFloat(said) - found.value);
                const is = Number.isNaN(off) ? said.toLowerCase() === found.value.toLowerCase() : off <= found.about;
                told.textContent = `${is ? 'right' : 'not so'}: ${found.value}`;
                told.className = is ? 'yes' : 'no';
                if (fold?.matches('details')) {
                    fold.open = true;
                }
            }
        }
    });
}

// Adds to a line what runs on all pages, and a button that stops it.
async function listRuns(line) {
    const runs = await (await ask('runs')).json();
    line.append(' ', runs.map(({ command }) => command).join(', ') || 'Nothing.');
    if (runs.length) {
        line.append(' ', button('Stop all', async () => {
            line.textContent = await tell('stop', {}) || 'All were stopped.';
        }));
    }
}

// Asked for when it is unfolded.
function underWay() {
    const list = element('p', { role: 'status' });
    const fold = element('details', { className: 'run' }, element('summary', {}, 'What is under way'), list);
    fold.addEventListener('toggle', () => {
        list.textContent = '';
        if (fold.open) {
            listRuns(list).catch(() => { list.textContent = ENDED; });
        }
    });
    return fold;
}

async function enliven() {
    const answer = await ask(`page/${location.pathname.slice(1) || 'index.html'}`).catch(() => null);
    if (!answer?.ok) {
        headline(answer ? `Programs cannot be run from here: ${await answer.text()}.` : ENDED);
        return;
    }
    const main = document.querySelector('main');
    const { offers, progress, untraced } = await answer.json();
    const known = new Map(offers.map(offer => [offer.command, offer]));
    for (const code of main.querySelectorAll('pre > code.language-console')) {
        const shown = new Set(code.textContent.split('\n').map(line => line.trim()));
        const found = [...shown].map(line => known.get(line)).filter(one => known.delete(one?.command));
        code.closest('pre').after(...found.map(offer => panel(offer, found.length > 1)));
    }
    for (const code of main.querySelectorAll('.promise caption > code, .exercise > .checked > code')) {
        const offer = known.get(code.textContent);
        if (offer) {
            known.delete(offer.command);
            code.closest('.promise').after(panel(offer));
        }
    }
    if (untraced) {
        headline(`How threads end cannot be seen here: ${untraced}.`);
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
            main.querySelector(`a[href$="-${lesson}.html"]`)?.after(` (exercise: ${how})`);
        }
    }
}

if (start) {
    // The server may have been started anew, which only a fresh page knows.
    addEventListener('hashchange', () => location.hash.includes('token=') && location.reload());
    // A page that is kept for the way back would keep its run.
    addEventListener('pagehide', () => panels.forEach(({ end }) => end('The page was left, and its run has ended.')));
    takeToken();
    if (token) {
        enliven();
    } else {
        headline('To run programs here, open the address that cargo run has printed.');
    }
}
