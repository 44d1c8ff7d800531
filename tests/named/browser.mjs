// Opens every page of the book in a real browser, uses it as a reader does, and reports what is
// wrong.
//
// node browser.mjs <chromium> <base address> <JSON of {views, searches, whole}>
//
// Prints one line of JSON a test: {"name", "problems": […]}.

import { chromium } from 'playwright-core';
import { listen, look } from './look.mjs';
import { replay } from './replay.mjs';

const [executablePath, base, book] = process.argv.slice(2);
const { views: pages, searches, whole } = JSON.parse(book);
const views = [
    { name: 'light', theme: 'light', width: 1280 },
    { name: 'navy', theme: 'navy', width: 1280 },
    { name: 'phone', theme: 'light', width: 360 },
    { name: 'phone-navy', theme: 'navy', width: 360 },
];

// No page takes so many milliseconds to load, even on a busy machine.
const HANGS = 120_000;

function report(name, problems) {
    console.log(JSON.stringify({ name, problems }));
}

const browser = await chromium.launch({
    executablePath,
    args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-background-networking',
        '--disable-component-update', '--disable-sync', '--no-first-run'],
});
// What is held against time has the browser for itself.
if (whole) {
    await replay(browser, base, { look, listen }, report);
}
await search();
// The rest has not to be on time: as many views at once as there are cores to show them.
const contents = {};
const looks = Promise.all(views.map(lookThrough));
if (whole) {
    await print(looks);
}
await looks;
await browser.close();

async function lookThrough(view) {
    const context = await browser.newContext({ viewport: { width: view.width, height: 900 } });
    context.setDefaultTimeout(HANGS);
    await context.addInitScript(theme => localStorage.setItem('mdbook-theme', theme), view.theme);
    const page = await context.newPage();
    let problems = [];
    page.on('console', message => {
        if (['error', 'warning'].includes(message.type())) {
            problems.push(`the console says: ${message.text()}`);
        }
    });
    page.on('pageerror', error => problems.push(`a script fails: ${error.message}`));
    page.on('request', request => {
        const url = request.url();
        if (!url.startsWith(base) && !url.startsWith('data:')) {
            problems.push(`it asks another host: ${url}`);
        }
    });
    for (const name of pages[view.name] ?? []) {
        problems = [];
        await page.goto(base + name, { waitUntil: 'load' });
        contents[name] = await page.evaluate(list);
        problems.push(...await page.evaluate(look, view.width));
        // Its colours are looked at on paper; on a screen they are those of the other pages.
        const rules = name === 'print.html' ? { 'color-contrast': { enabled: false } } : {};
        problems.push(...await listen(page, { rules }));
        report(`${view.name}::${name}`, problems);
    }
    await context.close();
}

// What a reader types into the search leads to the page that answers.
async function search() {
    const page = await browser.newPage();
    await page.goto(base, { waitUntil: 'load' });
    await page.keyboard.press('/');
    const field = page.getByRole('searchbox');
    const results = page.locator('#mdbook-searchresults a');
    await page.waitForFunction(() => document.activeElement.id === 'mdbook-searchbar');
    for (const [name, [answer, words]] of Object.entries(searches)) {
        await field.fill(words);
        // The search begins when a key is released.
        await field.press('End');
        await page.waitForFunction(
            words => document.getElementById('mdbook-searchresults-header')
                .textContent.includes(`for '${words}'`),
            words.trim());
        const found =
            await results.evaluateAll(links => links.map(link => link.getAttribute('href')));
        const first = found.slice(0, 3).map(address => address.replace(/.*\/|\?[^#]*/g, ''));
        const isFound = first.some(address => address.startsWith(answer));
        report(`search::${name}`,
            isFound ? [] : [`"${words}" leads to ${first.join(', ') || 'nothing'}, not to ${answer}`]);
    }
    await page.close();
}

// The page for printing, on A4 with margins of 10 mm and in a dark theme, has what the other pages
// have, and it can be read.
async function print(looks) {
    const [width, height] = [718, 1047];
    const page = await browser.newPage({ viewport: { width, height } });
    page.setDefaultTimeout(HANGS);
    await page.addInitScript(() => localStorage.setItem('mdbook-theme', 'navy'));
    await page.emulateMedia({ media: 'print' });
    await page.goto(`${base}print.html`, { waitUntil: 'load' });
    const printed = await page.evaluate(list);
    const problems = await page.evaluate(look, width);
    problems.push(...await listen(page));
    await looks;
    for (const [name, { titles, pictures }] of Object.entries(contents)) {
        const missing = [...titles.filter(title => !printed.titles.includes(title)),
            ...Object.keys(pictures).filter(id => !printed.pictures[id])];
        problems.push(...missing.map(what => `${what} of ${name} is missing`));
    }
    for (const [id, { left, right, height: tall }] of Object.entries(printed.pictures)) {
        if (left < 0 || right > width || tall > height) {
            problems.push(`${id} is cut: it goes from ${left} to ${right}, ${tall} pixels high`);
        }
    }
    report('print::every_chapter_and_every_picture_is_on_paper', problems);
    await page.close();
}

// The titles and the pictures of a page: runs in the page.
function list() {
    const pictures = [...document.querySelectorAll('.recording svg.timeline')];
    return {
        titles: [...document.querySelectorAll('main h1')].map(title => title.textContent),
        pictures: Object.fromEntries(
            pictures.map(picture => [picture.id, picture.getBoundingClientRect().toJSON()])),
    };
}
