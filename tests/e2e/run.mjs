// Journeys through the built page in a real browser.
import { chromium } from 'playwright-core';
import { serve } from './server.mjs';

const dist = process.argv[2] ?? 'dist';
const { url, close } = await serve(dist);
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});
let passed = 0;
let failed = 0;

async function journey(name, options, steps) {
  const page = await browser.newPage(options);
  const trouble = [];
  page.on('console', (m) => m.type() === 'error' && trouble.push(`console: ${m.text()}`));
  page.on('pageerror', (e) => trouble.push(`page: ${e.message}`));
  page.on('request', (r) => r.url().startsWith(url) || r.url().startsWith('data:') || r.url().startsWith('blob:') || trouble.push(`request to another site: ${r.url()}`));
  try {
    await page.goto(url);
    await steps(page);
    if (trouble.length) throw new Error(trouble.join('\n'));
    passed += 1;
    console.log(`ok   ${name}`);
  } catch (e) {
    failed += 1;
    console.log(`FAIL ${name}\n${e.message}`);
  }
  await page.close();
}

await journey('the page loads', {}, async (page) => {
  await page.getByText('Kubernetes 1.36').first().waitFor({ timeout: 20000 });
});

await browser.close();
close();
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
