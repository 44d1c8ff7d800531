// What a reader does with the live page, in a real browser.
//
// node live.mjs <chromium> <JSON of {address, pid, book, exercise, solution}>
//
// Prints a list of its trials; then reads names of them, one a line, and prints for each one line of JSON:
// {"name", "problems": […]}.
// `address` is what the reader's server has printed and `pid` its number, `book` the program that it is;
// `exercise` and `solution` are files of a workbook that a trial may change, if it is one.
//
// Nothing is waited for by the clock. Whatever is pressed is found by the name that a screen reader says.

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdtemp, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';
import { listen, look } from '../look.mjs';

const [executablePath, given] = process.argv.slice(2);
const { address, pid, book, exercise, solution } = JSON.parse(given);
const [base, token] = address.split('#');

// Nothing that is waited for takes so many milliseconds, even on a busy machine.
const HANGS = 60_000;

// What a page says of a run that the machine was too busy for, and how often such a trial is made in all.
const LATE = /: run it again\.$/;
class Late extends Error {}
const TIMES = 3;

// Within so many milliseconds nothing may be left of a run that nobody looks at.
const SOON = 2_000;

const HEARTBEAT = { page: '02-heartbeat.html', command: 'cargo run -p heartbeat' };
const JOINED = { page: '02-heartbeat.html', command: 'cargo run -p heartbeat --bin heartbeat-joined' };
const WORKER = { page: '01-critical-worker.html', command: 'cargo run -p critical-worker' };
const ENDED = 'The server of this book has ended; cargo run starts it again.';
const MARKER = '// YOUR TURN';
const EXERCISE = 'critical-worker-exercise.rs';

const trials = {
    async a_run_grows_beat_by_beat_and_keeps_its_promises(open) {
        const { page } = await open(HEARTBEAT.page);
        const { group, run, says } = controls(page, HEARTBEAT);
        const beats = await seen(page, () =>
            [...document.querySelectorAll('.run .transcript samp')]
                .filter(line => line.textContent.includes('beat ')).length);
        await run.click();
        await says(/^It ended after (3\.[5-9]\d*|4|4\.\d+) s with exit code 0\. All promises are kept\.$/);
        const [figure, rows] = [group.locator('figure'), group.locator('.kept tbody tr')];
        const drawn = await figure.locator('.timeline').textContent();
        return [
            ...is('beats as they came', await beats(), [1, 2, 3, 4]),
            ...is('promises that are marked', await rows.count(), 5),
            ...is('of them kept', await rows.locator('.yes').count(), 5),
            ...has('the picture', drawn, /heartbeat ?cut off at (3\.[5-9]|4)/),
        ];
    },

    async a_signal_is_sent_and_the_run_not_judged(open) {
        const { page } = await open(WORKER.page);
        const { group, run, button, says } = controls(page, WORKER);
        await run.click();
        await button('SIGTERM').click();
        await says(/^SIGTERM ended it after [\d.]+ s\. You sent SIGTERM at [\d.]+ s\.$/);
        return [
            ...has('the run', await group.textContent(),
                /You have sent a signal: this run is shown, and not held against the promises\./),
            ...is('tables of promises', await group.locator('.kept').count(), 0),
        ];
    },

    async a_prediction_is_held_against_the_run_value_by_value(open) {
        const { page, asked } = await open(HEARTBEAT.page);
        const { group, run, button, says } = controls(page, HEARTBEAT);
        const form = page.locator('div.predict').first();
        const fold = page.locator('div.predict + details').first();
        const problems = is('the fold before', await fold.getAttribute('open'), null);
        await form.getByLabel('ends after').fill('77.25');
        await form.getByLabel('exit code').fill('0');
        await form.getByLabel('lines of thread main').fill(' 2 lines');
        await form.getByLabel('lines of thread heartbeat').fill('88.75');
        await run.click();
        await says(/All promises are kept\.$/);
        const spans = form.locator('p:has(label) > span');
        const told = await spans.allTextContents();
        problems.push(...is('unfolded', await fold.getAttribute('open'), ''));
        problems.push(...is('what starts over, with no file left', await button('Start over').count(), 0));
        // What was said of one run is not said of the next, and a run that was stopped does not run on.
        await run.click();
        await says(/^Running …$/);
        problems.push(...is('told of the next run', (await spans.allTextContents()).join(''), ''));
        await button('Stop').click();
        await says(/^Stopped\.$/);
        return [
            ...problems,
            ...is('pictures of what was stopped', await group.locator('figure').count(), 0),
            ...has('the wrong end', told[0], /^not so: (3\.[5-9]\d*|4|4\.\d+)$/),
            ...is('the others', told.slice(1),
                ['right: 0', 'right: 2', 'not so: 4']),
            ...asked.filter(({ body }) => /77\.25|88\.75/.test(body)).map(() => 'it sends what was predicted'),
        ];
    },

    async a_saved_exercise_turns_from_broken_to_kept(open) {
        const { page } = await open(WORKER.page);
        const { button, says } = controls(page, { command: 'cargo test critical-worker' });
        const starter = await readFile(exercise, 'utf8');
        const again = 'It is checked again when the exercise is saved\\.$';
        const [broken, kept] = ['Not yet', 'Done'].map((word, index) =>
            `^${word}\\. It ended after .* ${['Not all', 'All'][index]} promises are kept\\. ${again}`);
        try {
            await writeFile(exercise, starter.replace(MARKER, '//'));
            const save = button('Check on save');
            await save.click();
            await says(new RegExp(broken));
            const problems = is('pressed', await save.getAttribute('aria-pressed'), 'true');
            await writeFile(exercise, await readFile(solution, 'utf8'));
            await says(new RegExp(kept));
            // Many editors put another file in its place.
            await writeFile(`${exercise}.new`, starter.replace(MARKER, '//'));
            await rename(`${exercise}.new`, exercise);
            await says(new RegExp(broken));
            await save.click();
            await says(/^Stopped\.$/);
            return [...problems, ...is('pressed', await save.getAttribute('aria-pressed'), 'false')];
        } finally {
            await writeFile(exercise, starter);
        }
    },

    async an_exercise_with_its_marker_is_not_started(open) {
        const { page } = await open(WORKER.page);
        const { group, button, says } = controls(page, { command: 'cargo test critical-worker' });
        await button('Check: cargo test critical-worker').click();
        await says(/^It ended after .* Not all promises are kept\.$/);
        return has('the report', await group.textContent(),
            new RegExp(`Not started: .* delete the marker line ${MARKER} in .*/${EXERCISE}:\\d+`));
    },

    async an_exercise_that_is_gone_says_how_it_comes_back(open) {
        const { page } = await open(WORKER.page);
        const { group, button, says } = controls(page, { command: 'cargo test critical-worker' });
        const starter = await readFile(exercise, 'utf8');
        try {
            await rm(exercise);
            await button('Check: cargo test critical-worker').click();
            await says(new RegExp(`^lessons/.*/${EXERCISE} is no longer there; \`git restore lessons/.*/${EXERCISE}\``));
            return is('pictures', await group.locator('figure').count(), 0);
        } finally {
            await writeFile(exercise, starter);
        }
    },

    async a_compile_error_is_shown_whole(open) {
        const { page } = await open(WORKER.page);
        const { group, button, says } = controls(page, { command: 'cargo test critical-worker' });
        const starter = await readFile(exercise, 'utf8');
        try {
            const wrong = starter.replace('fn main() -> ExitCode {', 'fn main() -> ExitCode {\n    oops();');
            await writeFile(exercise, wrong);
            await button('Check: cargo test critical-worker').click();
            await says(/^It does not compile\.$/);
            const line = wrong.split('\n').indexOf('    oops();') + 1;
            const report = await group.locator('.shown').textContent();
            return [
                ...has('the report', report, /error\[E0425\]: cannot find function `oops` in this scope/),
                ...has('the report', report, new RegExp(`--> lessons/.*/${EXERCISE}:${line}:5`)),
                ...has('the report', report, /could not compile `critical-worker`/),
                ...hasNot('the report', report, /\x1b/),
            ];
        } finally {
            await writeFile(exercise, starter);
        }
    },

    async a_closed_page_ends_its_run(open) {
        const { page } = await open(JOINED.page);
        await underWay(page, JOINED);
        await page.close();
        return noneLeft();
    },

    async a_page_that_comes_back_says_that_its_run_has_ended(open) {
        const { page } = await open(JOINED.page);
        const { run, says } = await underWay(page, JOINED);
        await page.evaluate(() => {
            // By its handler, which does nothing, mdBook keeps a page from being kept. Browsers are about
            // to give up such handlers.
            window.onunload = null;
            addEventListener('pageshow', ({ persisted }) => { window.isKept = persisted; });
        });
        await page.goto(`${base}03-service-roles.html`);
        const problems = await noneLeft();
        await page.goBack({ waitUntil: 'commit' });
        await page.waitForFunction(() => window.isKept);
        await says(/^The page was left, and its run has ended\.$/);
        await run.click();
        await says(/^Running …$/);
        return problems;
    },

    async a_reload_ends_the_run_and_offers_it_again(open) {
        const { page } = await open(JOINED.page);
        await underWay(page, JOINED);
        await page.reload();
        const problems = await noneLeft();
        await underWay(page, JOINED);
        return problems;
    },

    async two_pages_have_directories_of_their_own(open) {
        const truncated = { page: '08-truncated-write.html', command: 'cargo run -p truncated-write' };
        const pages = [await open(truncated.page), await open(truncated.page)];
        await Promise.all(pages.map(async ({ page }) => {
            const { run, says } = controls(page, truncated);
            await run.click();
            await says(/All promises are kept\.$/);
        }));
        return [];
    },

    async what_a_run_leaves_is_there_until_the_reader_starts_over(open) {
        const locked = { page: '06-cut-short.html', command: 'cargo run -p cut-short' };
        const { page } = await open(locked.page);
        const { group, run, button, says } = controls(page, locked);
        // How much of the file is there at its end is a matter of time, and of none here.
        const begins = async () => (await group.locator('.transcript').first().textContent()).includes('400 of 1600 rows');
        await run.click();
        await says(/^It ended after /);
        const problems = is('the first run begins', await begins(), true);
        await run.click();
        await says(/Not all promises are kept\.$/);
        problems.push(
            ...is('the second run begins', await begins(), false),
            ...has('the second run', await group.textContent(), /Files of an earlier run were there/));
        await button('Start over').click();
        await says(/^The next run has an empty directory\.$/);
        problems.push(...is('the focus', await run.evaluate(run => run === document.activeElement), true));
        await run.click();
        await says(/^It ended after /);
        problems.push(...is('a new run begins', await begins(), true));
        return problems;
    },

    async what_an_earlier_run_has_left_is_not_told_of_the_next(open) {
        const { page } = await open(WORKER.page);
        const first = controls(page, WORKER);
        await first.run.click();
        await first.says(/^It ended after .* All promises are kept\.$/);
        const file = group => group.locator('.shown summary').filter({ hasText: /^journal\.txt, / });
        const problems = is('the journal of the first', await file(first.group).count(), 1);
        const next = controls(page, { command: `${WORKER.command} -- /dev/full` });
        await next.run.click();
        await next.says(/^It ended after .* All promises are kept\.$/);
        return [
            ...problems,
            ...is('its journal after the next', await file(next.group).count(), 0),
            ...hasNot('the next run', await next.group.locator('figure').textContent(), /journal\.txt/),
        ];
    },

    async one_run_too_many_is_told_what_is_under_way(open) {
        const { page } = await open('17-hung-join.html');
        const all = ['sender', 'full', 'lock', 'each-other'].map(how =>
            controls(page, { command: `cargo run -p hung-join -- ${how}` }));
        for (const { run } of all) {
            const answered = page.waitForResponse(/\/api\/run$/);
            await run.click();
            await answered;
        }
        const [first, , , fourth] = all;
        await fourth.says(/^3 runs are under way, .*\. cargo run .* full, .* lock Stop all$/);
        // What is under way is also told without a run.
        await page.getByText('What is under way').click();
        await page.getByRole('status').filter({ hasText: /^ cargo run .*, cargo run .* Stop all$/ }).waitFor();
        await fourth.button('Stop all').click();
        await fourth.says(/^All were stopped\.$/);
        await first.says(/^Stopped: all were stopped\.$/);
        const problems = await noneLeft();
        await fourth.run.click();
        await fourth.says(/^Running …$/);
        return problems;
    },

    async a_server_that_ends_is_one_line_on_a_page_that_can_be_read(open) {
        const server = await serve();
        const { page } = await open(JOINED.page, { address: server.address });
        const { says } = await underWay(page, JOINED);
        process.kill(server.pid, 'SIGKILL');
        await says(ENDED);
        const other = controls(page, HEARTBEAT);
        await other.run.click();
        await other.says(ENDED);
        await page.getByText('What is under way').click();
        await page.getByRole('status').filter({ hasText: ENDED }).nth(2).waitFor();
        const problems = is('what can be read', await page.locator('main h1').isVisible(), true);
        // It is started anew at the same address, and its token is another one.
        const next = await serve('--port', new URL(server.address).port);
        await other.run.click();
        await other.says(/^the book has been started anew: open the address that it has printed\.$/);
        await page.reload();
        await page.getByText('To run programs here, open the address that cargo run has printed.').waitFor();
        problems.push(...is('buttons of an older start', await page.locator('.run').count(), 0));
        // From there to the new address there is nothing but a fragment.
        await page.evaluate(token => { location.hash = token; }, new URL(next.address).hash);
        await controls(page, HEARTBEAT).run.waitFor();
        await page.goto(new URL(WORKER.page, next.address).href);
        await controls(page, WORKER).run.waitFor();
        next.end();
        return problems;
    },

    async a_run_ends_with_its_server_and_its_last_line_is_told(open) {
        const server = await serve();
        const { page } = await open(JOINED.page, { address: server.address });
        const { says } = await underWay(page, JOINED);
        process.kill(server.pid, 'SIGTERM');
        await says(/^(Stopped: the book is closed\.|The server of this book has ended; .*)$/);
        return [];
    },

    async without_a_token_there_is_nothing_to_press(open) {
        const problems = [];
        for (const path of ['', HEARTBEAT.page, 'map.html']) {
            const opened = await open(path, { address: base });
            await opened.page.getByText('To run programs here, open the address that cargo run has printed.').waitFor();
            problems.push(...await silent(opened, path || 'the first page', 1));
        }
        return problems;
    },

    async the_published_book_has_nothing_to_press(open) {
        const built = await published();
        const files = createServer(async (request, answer) => {
            const file = join(built, new URL(request.url, base).pathname.replace(/\/$/, '/index.html'));
            const type = { html: 'text/html', js: 'text/javascript', css: 'text/css', svg: 'image/svg+xml' };
            try {
                const bytes = await readFile(file);
                answer.setHeader('content-type', type[file.split('.').pop()] ?? 'application/octet-stream');
                answer.end(bytes);
            } catch {
                answer.writeHead(404).end();
            }
        });
        const problems = [];
        try {
            const elsewhere = `http://127.0.0.1:${await listens(files)}/`;
            for (const path of ['index.html', `${HEARTBEAT.page}#${token}`, 'map.html']) {
                problems.push(
                    ...await silent(await open(path, { address: elsewhere }), path),
                    ...await silent(await open(path, { address: `${pathToFileURL(built)}/` }), `the file ${path}`));
            }
            for (const path of ['index.html', HEARTBEAT.page, 'map.html', 'print.html']) {
                const served = await (await fetch(base + path)).text();
                problems.push(...is(`${path} as it is served`, served === await readFile(join(built, path), 'utf8'), true));
            }
            return problems;
        } finally {
            files.close();
            files.closeAllConnections();
            await rm(built, { recursive: true });
        }
    },

    async another_name_of_the_machine_says_which_address_to_open(open) {
        const elsewhere = address.replace('127.0.0.1', 'localhost');
        const { page } = await open(HEARTBEAT.page, { address: elsewhere });
        const line = `Programs cannot be run from here: programs are run at ${base} alone: open that.`;
        await page.getByRole('status').filter({ hasText: line }).waitFor();
        return is('buttons', await page.locator('.run').count(), 0);
    },

    async a_page_of_another_origin_shows_nothing_in_its_frame(open) {
        const outer = createServer((_, answer) => {
            answer.setHeader('content-type', 'text/html');
            answer.end(`<h1>Other</h1><iframe src="${base}${HEARTBEAT.page}#${token}"></iframe>`);
        });
        try {
            const { page, heard } = await open('', { address: `http://127.0.0.1:${await listens(outer)}/` });
            const frame = page.frames()[1];
            await page.waitForFunction(() => window.frames.length === 1);
            // That is the browser's own word.
            const why = heard.splice(0).join();
            return [
                ...has('the console', why, /frame-ancestors 'self'/),
                ...is('the frame', frame.url(), 'chrome-error://chromewebdata/'),
                ...is('chapters in it', await frame.locator('main').count(), 0),
            ];
        } finally {
            outer.close();
            outer.closeAllConnections();
        }
    },

    async the_keyboard_is_enough(open) {
        const { page } = await open(WORKER.page);
        const { group, run, button, says } = controls(page, WORKER);
        const stands = async (on, where) => is(`the focus ${where}`,
            await on.evaluate(on => on === document.activeElement), true);
        // The sidebar is long: the text has a heading with a link before each of its parts.
        await page.locator('main h1 a').focus();
        for (let tabs = 0; tabs < 60 && (await stands(run, '')).length; tabs++) {
            await page.keyboard.press('Tab');
        }
        const problems = await stands(run, 'after some tabs');
        await page.keyboard.press('Enter');
        const term = button('SIGTERM');
        await term.waitFor();
        problems.push(...await stands(run, 'while it runs'));
        await page.keyboard.press('Tab');
        await page.keyboard.press('Tab');
        problems.push(...await stands(term, 'two tabs on'));
        await page.keyboard.press('Enter');
        await says(/^SIGTERM ended it after .* You sent SIGTERM at /);
        problems.push(...await stands(run, 'when the button is gone'));
        // Keys that mdBook takes for its own stay with the buttons.
        const before = page.url();
        for (const key of ['ArrowRight', 's', '/']) {
            await page.keyboard.press(key);
        }
        return [
            ...problems,
            ...is('the page', page.url(), before),
            ...await stands(run, 'after the keys of mdBook'),
            ...is('runs', await group.locator('figure').count(), 1),
        ];
    },

    async the_focus_stays_where_it_is_when_the_picture_is_swapped(open) {
        const { page } = await open(HEARTBEAT.page);
        const { group, says } = await underWay(page, HEARTBEAT);
        const summary = group.locator('figure summary');
        await summary.focus();
        await summary.evaluate(summary => { window.focused = summary; });
        const isFocused = () => page.evaluate(() =>
            window.focused.isConnected && window.focused === document.activeElement);
        await swaps(group, 5);
        const problems = is('focused after five pictures', await isFocused(), true);
        await says(/ kept\.$/);
        return [...problems, ...is('focused at the end', await isFocused(), true)];
    },

    async a_selection_survives_the_next_picture(open) {
        const { page } = await open(HEARTBEAT.page);
        const { group, says } = await underWay(page, HEARTBEAT);
        await group.locator('.transcript samp').first().evaluate(line => getSelection().selectAllChildren(line));
        const selected = () => page.evaluate(() => getSelection().toString().trim().replace(/\s+/g, ' '));
        const text = await selected();
        await swaps(group, 5);
        const problems = [
            ...has('what is selected', text, /^0\.00\ds main my own work takes 3\.5 s$/),
            ...is('after five pictures', await selected(), text),
        ];
        await says(/ kept\.$/);
        return [...problems, ...is('at the end', await selected(), text)];
    },

    anybody_can_use_it_in_light: open => anybody(open, { theme: 'light', width: 1280 }),
    anybody_can_use_it_in_navy: open => anybody(open, { theme: 'navy', width: 1280 }),
    anybody_can_use_it_on_a_phone: open => anybody(open, { theme: 'light', width: 360 }),
    anybody_can_use_it_on_a_phone_in_navy: open => anybody(open, { theme: 'navy', width: 360 }),

    async with_less_motion_nothing_moves_but_the_run(open) {
        const { page } = await open(HEARTBEAT.page, { reducedMotion: 'reduce' });
        const { group, says } = await underWay(page, HEARTBEAT);
        const moving = await page.evaluate(() => document.getAnimations().length);
        await says(/ kept\.$/);
        const replay = group.getByRole('group', { name: 'Replay of cargo run -p heartbeat' });
        return [
            ...is('animations', moving, 0),
            ...is('buttons to step', await replay.getByRole('button', { name: 'Step' }).count(), 1),
        ];
    },

    async a_live_region_says_how_it_begins_and_ends(open) {
        const { page } = await open(HEARTBEAT.page);
        const { group, run, says } = controls(page, HEARTBEAT);
        const heard = await seen(page, () => {
            const regions = [...document.querySelectorAll('.run [aria-live], .run [role=status], .run [role=alert]')];
            return regions.map(region => region.textContent).filter(Boolean).join(' | ');
        });
        await run.click();
        await says(/ kept\.$/);
        const said = (await heard()).filter(text => text && text !== 'Building …');
        return [
            ...is('times that it speaks', said.length, 3),
            ...is('at first', said.slice(0, 2), ['Starting …', 'Running …']),
            ...has('at last', said[2], /^It ended after .* All promises are kept\.$/),
            ...is('regions with a run in them', await group.locator('[role=status] figure, [aria-live] figure').count(), 0),
        ];
    },

    async copying_and_the_search_still_work(open) {
        const { page, context } = await open(HEARTBEAT.page);
        await context.grantPermissions(['clipboard-read', 'clipboard-write']);
        const { group, says } = await underWay(page, HEARTBEAT);
        const block = page.locator('pre:has(code.language-console)').first();
        await block.hover();
        await block.getByRole('button', { name: /copy/i }).click();
        const copied = await page.evaluate(() => navigator.clipboard.readText());
        await page.locator('main h1').click();
        await page.keyboard.press('/');
        await page.getByRole('searchbox').fill('heartbeat');
        await page.keyboard.press('End');
        const results = page.locator('#mdbook-searchresults a');
        await results.first().waitFor();
        await page.keyboard.press('Escape');
        await says(/ kept\.$/);
        return [
            ...is('what is copied', copied.trim(), HEARTBEAT.command),
            ...is('replays', await group.locator('.replay').count(), 1),
        ];
    },
};

// The buttons of a command, and what comes of it.
function controls(page, { command }) {
    const group = page.getByRole('group', { name: command, exact: true });
    const status = group.locator('> .status');
    return {
        group,
        run: group.getByRole('button', { name: `Run: ${command}`, exact: true }),
        button: name => group.getByRole('button', { name, exact: true }),
        async says(expected) {
            const either = expected.source ? new RegExp(`${expected.source}|${LATE.source}`) : expected;
            try {
                await status.filter({ hasText: either }).waitFor();
                const said = await status.textContent();
                if (LATE.test(said)) {
                    throw new Late(said);
                }
            } catch (error) {
                if (error instanceof Late) {
                    throw error;
                }
                const broken = await group.locator('tr:has(.no)').allTextContents();
                const what = [await status.textContent(), ...broken].join('\n');
                throw new Error(`${command} says, and not ${expected}:\n${what}`);
            }
        },
    };
}

// Presses Run, and waits until the program runs.
async function underWay(page, what) {
    const found = controls(page, what);
    await found.run.click();
    await found.says(/^Running …$/);
    return found;
}

// Everything that this expression has come to in the page, each once, from now on.
async function seen(page, expression) {
    await page.evaluate(`{
        const value = ${expression};
        window.seen = [value()];
        new MutationObserver(() => {
            const now = value();
            if (now !== window.seen.at(-1)) {
                window.seen.push(now);
            }
        }).observe(document.querySelector('main'), { subtree: true, childList: true, characterData: true });
    }`);
    return async () => (await page.evaluate(() => window.seen)).slice(1);
}

// Waits until the picture was drawn anew some times.
async function swaps(group, times) {
    const figure = group.locator('figure .timeline');
    for (let time = 0; time < times; time++) {
        const before = await figure.textContent();
        const drawn = await figure.elementHandle();
        await group.page().waitForFunction(
            ([drawn, before]) => drawn.textContent !== before, [drawn, before], { polling: 'raf' });
    }
}

// Whatever the theme and the width: while it runs, and after it.
async function anybody(open, view) {
    const { page } = await open(HEARTBEAT.page, view);
    const problems = [];
    const { run, button, says } = controls(page, HEARTBEAT);
    for (let time = 0; ; time++) {
        await run.click();
        await button('SIGTERM').waitFor();
        const found = [
            ...await page.evaluate(look, view.width),
            ...await listen(page, { part: `.run[aria-label="${HEARTBEAT.command}"]` }),
        ];
        const isUnderWay = await button('SIGTERM').isVisible();
        await says(/ kept\.$/);
        if (isUnderWay) {
            problems.push(...found.map(problem => `while it runs: ${problem}`));
            break;
        }
        if (time === 4) {
            problems.push('the run was over before it was looked at');
            break;
        }
    }
    await page.evaluate(() => document.querySelectorAll('details').forEach(one => { one.open = true; }));
    return [...problems, ...await page.evaluate(look, view.width), ...await listen(page)];
}

// What is wrong with a page that has no server to ask.
async function silent({ page, asked, heard }, where, lines = 0) {
    // What it does at its start is done by then.
    await page.evaluate(() => new Promise(resolve => requestIdleCallback(resolve, { timeout: 1000 })));
    return [
        ...is(`on ${where}, buttons`, await page.locator('.run, .predict').count(), 0),
        ...is(`on ${where}, lines`, await page.locator('main .status').count(), lines),
        ...asked.filter(({ url }) => url.includes('/api/')).map(({ url }) => `${where} asks ${url}`),
        ...heard.map(text => `on ${where}, the console says: ${text}`),
    ];
}

// The programs that the server runs.
async function programs() {
    const found = [];
    for (const name of await readdir('/proc')) {
        const stat = /^\d+$/.test(name) && await readFile(`/proc/${name}/stat`, 'utf8').catch(() => '');
        const [, program, state, parent] = /\((.*)\) (.) (\d+)/.exec(stat || '') ?? [];
        // The thread that watches a run is a process of ours, too.
        if (Number(parent) === pid && state !== 'Z' && !await isGuardian(name)) {
            found.push(program);
        }
    }
    return found;
}

async function isGuardian(process) {
    return (await readFile(`/proc/${process}/environ`, 'utf8').catch(() => '')).includes('WORKBOOK_GUARDIAN=');
}

// Holds that soon the server runs nothing any more.
async function noneLeft() {
    const limit = Date.now() + SOON;
    for (;;) {
        const left = await programs();
        if (!left.length || Date.now() > limit) {
            return left.map(program => `${program} is there ${SOON} ms later`);
        }
        await new Promise(resolve => setTimeout(resolve, 20));
    }
}

// Another reader's server.
async function serve(...more) {
    const place = await mkdtemp(join(tmpdir(), 'live-'));
    const arguments_ = more.length ? more : ['--port', '0'];
    const server = spawn(book, arguments_, {
        env: { ...process.env, MDBOOK_BUILD__BUILD_DIR: join(place, 'book') },
        stdio: ['ignore', 'pipe', 'inherit'],
    });
    const end = () => server.kill('SIGKILL');
    server.once('exit', () => rm(place, { recursive: true, force: true }));
    for await (const line of createInterface({ input: server.stdout })) {
        const opened = /open at (\S+)/.exec(line);
        if (opened) {
            atTheEnd.push(end);
            return { address: opened[1], pid: server.pid, end };
        }
    }
    throw new Error('no server');
}

// The book as it is published.
async function published() {
    const place = await mkdtemp(join(tmpdir(), 'live-'));
    const { status, stderr } = spawnSync(book, ['build', '--dest', join(place, 'book')], { encoding: 'utf8' });
    if (status !== 0) {
        throw new Error(stderr);
    }
    return join(place, 'book');
}

// The port of a server of ours.
async function listens(server) {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return server.address().port;
}

function is(what, found, expected) {
    const [one, other] = [found, expected].map(value => JSON.stringify(value));
    return one === other ? [] : [`${what}: ${one}, not ${other}`];
}

function has(what, text, pattern) {
    return pattern.test(text) ? [] : [`${what} has no ${pattern}: ${text}`];
}

function hasNot(what, text, pattern) {
    return pattern.test(text) ? [`${what} has ${pattern}: ${text}`] : [];
}

// What is to be ended with a trial, however it ends.
let atTheEnd = [];

const browser = await chromium.launch({
    executablePath,
    args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-background-networking',
        '--disable-component-update', '--disable-sync', '--no-first-run'],
    // It would throw away a page that is left, which a reader's browser keeps for the way back.
    ignoreDefaultArgs: ['--disable-back-forward-cache'],
});

async function attempt(name, times = TIMES) {
    const problems = [];
    const open = async (path, { address: from = address, theme, width = 1280, ...more } = {}) => {
        const context = await browser.newContext({ viewport: { width, height: 900 }, ...more });
        atTheEnd.push(() => context.close());
        context.setDefaultTimeout(HANGS);
        if (theme) {
            await context.addInitScript(theme => localStorage.setItem('mdbook-theme', theme), theme);
        }
        const page = await context.newPage();
        const [asked, heard] = [[], []];
        page.on('request', request => asked.push({ url: request.url(), body: request.postData() ?? '' }));
        page.on('console', message => {
            if (['error', 'warning'].includes(message.type())) {
                heard.push(message.text());
            }
        });
        page.on('pageerror', error => problems.push(`a script fails: ${error.message}`));
        const to = new URL(path, from);
        to.hash ||= new URL(from).hash;
        await page.goto(to.href);
        atTheEnd.push(() => problems.push(
            // The browser itself says that an answer was a refusal, or broke off.
            ...heard.filter(text => !text.startsWith('Failed to load resource'))
                .map(text => `the console says: ${text}`)));
        return { page, context, asked, heard };
    };
    let isLate = false;
    try {
        problems.push(...await trials[name](open));
    } catch (error) {
        isLate = error instanceof Late;
        problems.push(error.message.replace(/\x1b\[\d+m/g, ''));
    }
    for (const act of atTheEnd.reverse()) {
        await act();
    }
    atTheEnd = [];
    return isLate && times > 1 ? attempt(name, times - 1) : problems;
}

console.log(JSON.stringify(Object.keys(trials)));
for await (const name of createInterface({ input: process.stdin })) {
    const since = Date.now();
    const problems = trials[name] ? await attempt(name) : ['there is no such trial'];
    console.log(JSON.stringify({ name, seconds: (Date.now() - since) / 1000, problems }));
}
await browser.close();
