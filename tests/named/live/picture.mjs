// Makes the picture of a run under way that the first page and the README show:
//
//     node tests/named/live/picture.mjs
//
// Builds and serves the book as a reader does, runs `heartbeat` in Chromium, and writes
// book/chapters/live.png. Needs chromium on the path and `npm ci --prefix tests/named`.

import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const reader = spawn('cargo', ['run', '--', '--port', '0'],
    { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] });
process.on('exit', () => reader.kill('SIGINT'));
let address;
for await (const line of createInterface({ input: reader.stdout })) {
    address = /http:\S+/.exec(line)?.[0];
    if (address) {
        break;
    }
}
const browser = await chromium.launch({ 
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-background-networking'],
});
const page = await browser.newPage({ viewport: { width: 860, height: 900 } });
await page.goto(address.replace('#', '02-heartbeat.html#'));
const run = page.getByRole('button', { name: 'Run: cargo run -p heartbeat', exact: true });
await run.click();
const panel = page.locator('.run', { has: run });
await panel.locator('samp', { hasText: 'beat 3' }).waitFor();
await page.locator('.content').evaluate(content => { content.style.paddingBottom = '900px'; });
await page.evaluate(() => document.querySelector('#run-it').scrollIntoView());
const box = await panel.boundingBox();
const top = (await page.locator('#run-it').boundingBox()).y;
await page.screenshot({
    path: `${root}book/chapters/live.png`,
    clip: { x: box.x - 10, y: top - 5, width: box.width + 20, height: box.y + box.height - top + 5 },
});
await browser.close();
process.exit();
