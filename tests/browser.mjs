// Opens every page of the book in a real browser and reports what is wrong with it.
//
// node browser.mjs <chromium> <base address> <page>…
//
// Prints one line of JSON a page and view: {"page", "view", "problems": […]}.

import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { chromium } from 'playwright-core';

const [executablePath, base, ...pages] = process.argv.slice(2);
const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const views = [
    { name: 'light', theme: 'light', width: 1280 },
    { name: 'navy', theme: 'navy', width: 1280 },
    { name: 'phone', theme: 'light', width: 360 },
    { name: 'phone-navy', theme: 'navy', width: 360 },
];

const browser = await chromium.launch({
    executablePath,
    args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-background-networking',
        '--disable-component-update', '--disable-sync', '--no-first-run'],
});
for (const view of views) {
    const context = await browser.newContext({ viewport: { width: view.width, height: 900 } });
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
    for (const name of pages) {
        problems = [];
        await page.goto(base + name, { waitUntil: 'load' });
        problems.push(...await page.evaluate(look, view.width));
        await page.evaluate(axe);
        problems.push(...await page.evaluate(listen));
        console.log(JSON.stringify({ page: name, view: view.name, problems }));
    }
    await context.close();
}
await browser.close();

// What can be seen: runs in the page.
function look(width) {
    const problems = [];
    for (const details of document.querySelectorAll('details')) {
        details.open = true;
    }
    // mdBook lets the content scroll inside the page, so the page's own width tells nothing.
    for (const element of document.querySelectorAll('html, body, .page-wrapper *')) {
        const style = getComputedStyle(element);
        const scrolls = ['HTML', 'BODY'].includes(element.tagName)
            || ['auto', 'scroll'].includes(style.overflowX);
        if (scrolls && element.scrollWidth > element.clientWidth + 1) {
            const name = element.tagName.toLowerCase() + (element.id && '#' + element.id);
            problems.push(`${name} ${element.className} scrolls sideways: `
                + `${element.scrollWidth} pixels on ${element.clientWidth}`);
        }
    }
    for (const picture of document.querySelectorAll('svg.timeline')) {
        const box = picture.getBoundingClientRect();
        if (box.width < Math.min(width - 60, 600) || box.height < 60) {
            problems.push(`${picture.id} is ${box.width} by ${box.height} pixels`);
        }
        for (const text of picture.querySelectorAll('text')) {
            const inside = text.getBoundingClientRect();
            if (inside.left < box.left - 1 || inside.right > box.right + 1) {
                problems.push(`${picture.id}: "${text.textContent}" leaves the picture`);
            }
        }
        const bar = picture.querySelector('.work');
        const background = getComputedStyle(document.body).backgroundColor;
        if (!bar || getComputedStyle(bar).fill === background) {
            problems.push(`${picture.id} has no bar that could be seen`);
        }
    }
    return problems;
}

// What a screen reader meets: runs in the page.
async function listen() {
    const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];
    const { violations } = await window.axe.run({ runOnly: tags });
    return violations.flatMap(({ id, nodes }) =>
        nodes.map(node => `axe ${id}: ${node.target} ${node.failureSummary.replace(/\s+/g, ' ')}`));
}
