// What a reader does with the replay of a recording, each as a function that gives what is wrong.
//
// Nothing here asks the book's own script. Where the cursor stands is measured on the marks of the
// picture's axis, and when a line came is read from the line.

// The heartbeat: seven beats in 6 s, beside a shorter run, and it never ends.
const HEARTBEAT = '02-heartbeat.html';

// Everything that a reader presses is found by the name that a screen reader says.
function controls(figure) {
    const group = figure.getByRole('group', { name: /^Replay of cargo run -p / });
    return {
        group,
        play: group.getByRole('button', { name: 'Play', exact: true }),
        pause: group.getByRole('button', { name: 'Pause', exact: true }),
        step: group.getByRole('button', { name: 'Step', exact: true }),
        time: group.getByRole('slider', { name: 'Time', exact: true }),
        speed: group.getByRole('combobox', { name: 'Speed', exact: true }),
    };
}

export const trials = {
    async play_moves_the_cursor_as_time_goes(open) {
        const { figure, play, pause } = await open(HEARTBEAT);
        await unfold(figure);
        const before = await figure.evaluate(figure => figure.offsetHeight);
        const seen = await watch(figure, play, 1200);
        const after = await figure.evaluate(figure => figure.offsetHeight);
        return [
            ...keeps(seen, 1),
            ...appears(seen),
            ...unless(await pause.isVisible(), 'while it plays, no button says Pause'),
            ...unless(before === after, `the figure's height goes from ${before} to ${after}`),
        ];
    },

    async five_times_as_fast_is_five_times_as_fast(open) {
        const { figure, play, speed } = await open(HEARTBEAT);
        await unfold(figure);
        await speed.selectOption('5×');
        const seen = await watch(figure, play, 600);
        return [...keeps(seen, 5), ...appears(seen)];
    },

    async a_pause_holds_the_cursor(open) {
        const { figure, play, pause } = await open(HEARTBEAT);
        await play.click();
        await pause.click();
        const [one] = await watch(figure, null, 0);
        const [...held] = await watch(figure, null, 200);
        // A pause and a play between two frames do not leave two clocks running.
        await play.click();
        await pause.evaluate(button => { button.click(); button.click(); });
        await pause.evaluate(button => { button.click(); });
        const seen = await watch(figure, play, 500);
        return [
            ...unless(held.every(({ at }) => at[0] === one.at[0]), 'it moves while it is paused'),
            ...keeps(seen, 1),
        ];
    },

    async at_the_end_everything_is_shown_and_play_begins_anew(open) {
        const { figure, play, time } = await open(HEARTBEAT);
        await unfold(figure);
        const problems = await whole(figure);
        await time.press('End');
        await time.press('PageDown');
        await time.press('PageDown');
        problems.push(...unless((await whole(figure)).length, 'at 80 % nothing is to come'));
        await play.click();
        await figure.locator('.cursor').first().waitFor({ state: 'hidden', timeout: 3000 });
        problems.push(...await whole(figure));
        const last = await figure.locator('.now').allTextContents();
        const expected = 'The process ends at 3.5 s, exit code 0.,'
            + 'It would go on; the recording stops at 6 s.';
        problems.push(...unless(String(last) === expected, `it ends with ${last}`));
        await play.click();
        const [{ at: [again] }] = await watch(figure, null, 0);
        const isAnew = Math.abs(again - 1) < 1.02;
        return [...problems, ...unless(isAnew, `played again, it stands at ${again} s`)];
    },

    async the_keyboard_moves_the_cursor_and_turns_no_page(open) {
        const { page, figure, play, pause, time } = await open(HEARTBEAT);
        const problems = [];
        const stands = async (key, times, expected) => {
            for (let count = 0; count < times; count++) {
                await time.press(key);
            }
            const [{ at }] = await watch(figure, null, 0);
            const said = await time.getAttribute('aria-valuetext');
            problems.push(
                ...unless(at.every(at => Math.abs(at - expected) < 0.02),
                    `${key} moves the cursor to ${at} s, not to ${expected} s`),
                ...unless(said === `${expected} s of 6 s`, `${key} says ${said}`));
        };
        await stands('Home', 1, 0);
        await stands('ArrowRight', 10, 0.6);
        await stands('ArrowLeft', 5, 0.3);
        await stands('PageUp', 2, 1.5);
        const scrolled = () => page.evaluate(() => document.scrollingElement.scrollTop);
        const top = await scrolled();
        await play.press('Space');
        problems.push(...unless(await pause.count(), 'Space does not play'));
        await pause.press('Enter');
        problems.push(...unless(await play.count(), 'Enter does not pause'));
        problems.push(...unless(await scrolled() === top, 'a key scrolls the page'));
        // What mdBook has keys for, on each control.
        const turned = [];
        page.on('request', request => {
            if (request.isNavigationRequest()) turned.push(request.url());
        });
        const control = figure.locator('.replay').locator('button, input, select');
        for (const one of await control.all()) {
            for (const key of ['ArrowLeft', 'ArrowRight', 's', '/', '?']) {
                await one.press(key);
            }
        }
        await page.waitForTimeout(300);
        problems.push(
            ...turned.map(url => `a key on a control leads to ${url}`),
            ...unless(await page.locator('#mdbook-searchbar').isHidden(), 'a key opens the search'),
            ...unless(await page.locator('#mdbook-help-popup').isHidden(), 'a key opens the help'));
        // Elsewhere the same keys do turn pages.
        await page.evaluate(() => document.activeElement.blur());
        await page.keyboard.press('ArrowRight');
        await page.waitForURL('**/02-heartbeat-abandon.html', { timeout: 3000 });
        return problems;
    },

    async with_less_motion_a_button_steps_from_line_to_line(open) {
        const { figure, step, time, speed } = await open(HEARTBEAT, { reducedMotion: 'reduce' });
        await unfold(figure);
        const problems = unless(await speed.isHidden(), 'there is a speed to choose');
        const heard = await figure.locator('.now[aria-live=polite]').count();
        problems.push(...unless(heard === 2, 'a step is not heard by whoever cannot see it'));
        const moments = await figure.locator('samp[data-at]').allTextContents();
        const expected = new Set(moments.map(line => parseFloat(line)));
        // The end of the shorter run.
        expected.add(3.5);
        for (const moment of [...expected].sort((one, other) => one - other)) {
            await step.click();
            if (moment === 6) {
                problems.push(...await whole(figure));
                continue;
            }
            const seen = await watch(figure, null, 60);
            const moved = seen.find(({ at }) => at.some(at => Math.abs(at - moment) > 0.02));
            problems.push(
                ...unless(!moved, `a step to ${moment} s leads to ${moved?.at} s`),
                ...appears(seen));
        }
        await time.press('Home');
        const [{ at }] = await watch(figure, null, 0);
        return [...problems, ...unless(at[0] === 0, `Home leads to ${at[0]} s`)];
    },

    async paper_shows_everything_in_the_middle_of_a_replay(open) {
        const { page, figure, play, pause, group } = await open(HEARTBEAT);
        await play.click();
        await page.emulateMedia({ media: 'print' });
        const problems = [
            ...unless(await group.isHidden(), 'the controls are printed'),
            ...await whole(figure),
        ];
        await page.emulateMedia({ media: 'screen' });
        const isInside = await pause.count();
        return [...problems, ...unless(isInside, 'it was not in the middle of a replay')];
    },

    async without_scripts_everything_is_there_and_nothing_to_press(open) {
        const { figure } = await open(HEARTBEAT, { javaScriptEnabled: false });
        for (const summary of await figure.locator('summary').all()) {
            await summary.click();
        }
        const dead = await figure.locator('button, input, select, .cursor, .veil, .now').count();
        return [...unless(dead === 0, `${dead} dead controls`), ...await whole(figure)];
    },

    async anybody_can_use_it_in_every_theme(open, { look, listen }) {
        const problems = [];
        for (const width of [1280, 360]) {
            const { page, figure, play, pause, group } =
                await open('16-panicking-worker.html', { viewport: { width, height: 900 } });
            await unfold(figure);
            await play.click();
            await pause.click();
            // Colours do not depend on the width.
            const themes = width === 360 ? ['light'] : ['light', 'rust', 'coal', 'navy', 'ayu'];
            for (const theme of themes) {
                await page.evaluate(
                    theme => document.getElementById(`mdbook-theme-${theme}`).click(), theme);
                const found = [
                    ...await page.evaluate(look, width),
                    ...await listen(page, { part: '.recording' }),
                ];
                problems.push(...found.map(problem => `${theme}, ${width} wide: ${problem}`));
            }
            problems.push(...unless(await figure.locator('.cursor').first().isVisible(),
                'it was not in the middle of a replay'));
            for (const control of await group.locator('button, input, select').all()) {
                const { width, height } = await control.boundingBox();
                problems.push(...unless(Math.min(width, height) >= 24,
                    `a control is ${width} by ${height} pixels`));
            }
            const live = await figure.locator('[aria-live], [role=status], output').count();
            problems.push(...unless(live === 0, 'a live region reads every step aloud'));
        }
        return problems;
    },
};

/// Runs each trial on a page of its own and reports it.
export async function replay(browser, base, tools, report) {
    for (const [name, trial] of Object.entries(trials)) {
        let context;
        const open = async (name, options) => {
            await context?.close();
            const viewport = { width: 1280, height: 900 };
            context = await browser.newContext({ viewport, ...options });
            context.setDefaultTimeout(3000);
            const page = await context.newPage();
            await page.goto(base + name, { waitUntil: 'load' });
            const figure = page.locator('figure.recording').first();
            return { page, figure, ...controls(figure) };
        };
        report(`replay::${name}`, await trial(open, tools).catch(error => [error.message]));
        await context?.close();
    }
}

function unless(condition, problem) {
    return condition ? [] : [problem];
}

function unfold(figure) {
    return figure.evaluate(figure => {
        figure.querySelectorAll('details').forEach(details => { details.open = true; });
    });
}

// Presses a button, if there is one, and looks at every frame for so many milliseconds, once at
// least. The clock starts before the button is pressed.
async function watch(figure, button, milliseconds) {
    return figure.evaluate(async (figure, [button, milliseconds]) => {
        const pictures = [...figure.querySelectorAll('.timeline')];
        const transcripts = [...figure.querySelectorAll('.transcript')];
        const place = element => element.getBoundingClientRect().left;
        const at = picture => {
            // The axis, then its marks: the first is at 0 s.
            const [, zero, mark] = picture.querySelectorAll('.axis line');
            const second = (place(mark) - place(zero))
                / parseFloat(picture.querySelectorAll('.axis text')[1].textContent);
            return (place(picture.querySelector('.cursor line')) - place(zero)) / second;
        };
        const lines = transcript => [...transcript.children].map(line => {
            const stamp = line.tagName === 'SAMP' && /^ *(\d+\.\d{3})s /.exec(line.textContent);
            const end = /at ([\d.]+) s/.exec(transcript.querySelector('em').textContent);
            return {
                text: line.textContent.trim(),
                at: stamp ? Number(stamp[1]) : Number(end?.[1]),
                isShown: getComputedStyle(line).visibility === 'visible',
            };
        });
        const seen = [];
        const start = performance.now();
        button?.click();
        do {
            const frame = await new Promise(requestAnimationFrame);
            seen.push({
                frame: (frame - start) / 1000,
                at: pictures.map(at),
                lines: transcripts.map(lines),
                now: pictures.map(picture => picture.nextElementSibling.textContent),
            });
        } while (performance.now() - start < milliseconds);
        return seen;
    }, [button && await button.elementHandle(), milliseconds]);
}

// The cursor is never ahead of the time since the button was pressed, keeps the speed between any
// two frames, and has got somewhere by the end.
function keeps(seen, speed) {
    const problems = [];
    const from = seen[0].at[0];
    // A frame has the time of its beginning, and the first may have begun before the press.
    const first = seen.find(({ frame }) => frame > 0);
    const last = seen.at(-1);
    for (const { frame, at } of seen) {
        for (const cursor of at) {
            // A hundredth of a second is about a pixel.
            if (cursor - from > Math.max(frame, 0) * speed + 0.02) {
                problems.push(`${frame} s after the press the cursor stands at ${cursor} s`);
            }
            const expected = first.at[0] + (frame - first.frame) * speed;
            if (frame > first.frame && Math.abs(cursor - expected) > 0.02 * speed) {
                problems.push(`at ${frame} s the cursor stands at ${cursor}, not at ${expected} s`);
            }
        }
    }
    if (last.at[0] - from < (last.frame - 0.3) * speed) {
        problems.push(`${last.frame} s after the press the cursor stands at ${last.at[0]} s`);
    }
    return problems.slice(0, 3);
}

// A line is shown once the cursor has come to its time, and the last one stands below the picture.
function appears(seen) {
    const problems = [];
    for (const { at, lines, now } of seen) {
        lines.forEach((transcript, index) => {
            for (const line of transcript) {
                // The cursor is measured in pixels.
                if (Math.abs(line.at - at[index]) > 0.02 && line.isShown !== line.at < at[index]) {
                    const is = line.isShown ? 'is' : 'is not';
                    problems.push(`at ${at[index]} s "${line.text}" ${is} shown`);
                }
            }
            const last = transcript.filter(line => line.isShown).at(-1)?.text ?? '';
            if (now[index] !== last) {
                problems.push(`at ${at[index]} s the last line is "${last}", not "${now[index]}"`);
            }
        });
    }
    return problems.slice(0, 3);
}

// Nothing is hidden or veiled, and no cursor stands in a picture.
function whole(figure) {
    return figure.evaluate(figure => {
        const problems = [];
        const isSeen = element =>
            element.getClientRects().length && getComputedStyle(element).visibility === 'visible'
                && element.checkVisibility({ contentVisibilityAuto: true });
        const lines = [...figure.querySelectorAll('.transcript *')];
        if (lines.length < 10 || !lines.every(isSeen)) {
            const hidden = lines.filter(line => !isSeen(line));
            problems.push(`of ${lines.length} lines, ${hidden.length} are not shown`);
        }
        for (const extra of figure.querySelectorAll('.cursor, .veil')) {
            if (extra.getClientRects().length) {
                problems.push(`there is a ${extra.classList}`);
            }
        }
        for (const picture of figure.querySelectorAll('.timeline')) {
            if (picture.getBoundingClientRect().height < 60) {
                problems.push(`${picture.id} is not shown`);
            }
        }
        return problems;
    });
}
