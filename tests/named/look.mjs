// What is wrong with a page for whoever looks at it, and for whoever hears it read.

import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';

const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

// What can be seen: runs in the page.
export function look(width) {
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
    for (const term of document.querySelectorAll('a.term')) {
        if (getComputedStyle(term).display !== 'inline') {
            problems.push(`"${term.textContent}" stands in a box and not in its sentence`);
        }
    }
    for (const picture of document.querySelectorAll('.recording svg.timeline')) {
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

// What a screen reader meets. Takes a part of the page, without one all of it, and axe's rules.
export async function listen(page, { part = 'html', rules = {} } = {}) {
    await page.evaluate(axe);
    const violations = await page.evaluate(async ([part, rules]) => {
        const runOnly = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];
        const options = { runOnly, rules, resultTypes: ['violations'] };
        return (await window.axe.run(document.querySelector(part), options)).violations;
    }, [part, rules]);
    return violations.flatMap(({ id, nodes }) =>
        nodes.map(node => `axe ${id}: ${node.target} ${node.failureSummary.replace(/\s+/g, ' ')}`));
}
