// Journeys through the built page in a real browser.
import { chromium } from 'playwright-core';
import { serve } from './server.mjs';
import { contract } from './contract.mjs';
import { terminals } from './terminals.mjs';

// node run.mjs [DIST [WORDS]]: only the journeys that have those words in their names
const [dist = 'dist', only = ''] = process.argv.slice(2);
const { url, close } = await serve(dist);
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});
let passed = 0;
let failed = 0;

// `expected`: what the console may complain about.
async function journey(name, options, steps, expected) {
  if (!name.includes(only)) return;
  const page = await browser.newPage(options);
  const trouble = [];
  page.on('console', (m) => m.type() === 'error' && !expected?.test(m.text()) && trouble.push(`console: ${m.text()}`));
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


// Runs a command in the first lab of the page and gives its state.
const lab = (page, act) => page.evaluate(`(async () => { const api = document.querySelector('podium-lab').api(1); ${act} })()`);
const text = (page, t) => page.getByText(t).first().waitFor({ timeout: 30000 });

await journey('the page loads, is usable, and asks no other site', {}, async (page) => {
  await text(page, 'Kubernetes 1.36');
  await page.getByRole('button', { name: 'Apply', exact: true }).waitFor();
  await page.waitForFunction(() => performance.getEntriesByType('resource').some((e) => e.name.endsWith('podium_rest.wasm')));
  const early = await page.evaluate(() => performance.getEntriesByType('resource').some((e) => e.name.endsWith('podium_rest.wasm') && e.initiatorType === 'xmlhttprequest'));
  if (early) throw new Error('a first look needed the second module: run scripts/profile, and commit its list');
});

await journey('a command that comes before the second module', {}, async (page) => {
  await page.route('**/podium_rest.wasm', (route) => (route.request().resourceType() === 'fetch' ? route.fulfill({ status: 503 }) : route.continue()));
  await page.reload();
  await page.getByRole('button', { name: 'Apply', exact: true }).click();
  await text(page, 'waits for web-0 to be Ready');
}, /503/);

await journey('ordered creation, seen on stage', {}, async (page) => {
  await page.getByRole('button', { name: 'Apply', exact: true }).click();
  await text(page, 'waits for web-0 to be Ready');
  await lab(page, 'api.setSpeed(20)');
  await text(page, '3 of 3 ready');
});

await journey('kubectl in the terminal, time both ways', {}, async (page) => {
  await page.getByRole('button', { name: 'Apply', exact: true }).click();
  await lab(page, 'api.setSpeed(50)');
  await text(page, '3 of 3 ready');
  await lab(page, "api.kubectl('get pods')");
  await text(page, /web-2\s+1\/1\s+Running/);
  await lab(page, 'api.pause(); api.seek(0)');
  await text(page, 'The stage is empty');
});

await journey('dark, narrow, in Chinese', { viewport: { width: 360, height: 780 }, colorScheme: 'dark', locale: 'zh-CN' }, async (page) => {
  await page.getByRole('button', { name: /中文|English/ }).first().waitFor({ timeout: 20000 });
  const wide = await page.evaluate('document.documentElement.scrollWidth');
  if (wide > 360) throw new Error(`the page is ${wide} pixels wide`);
});

await journey('two worlds side by side', {}, async (page) => {
  await page.locator('select:has(option[value=deployment])').selectOption('deployment');
  await page.getByRole('button', { name: 'Apply', exact: true }).click();
  const second = page.getByRole('region', { name: 'The same as a Deployment' });
  const first = page.getByRole('main', { name: 'Your manifest' });
  // all at once there, one after the other here
  await second.getByText('3 of 3 ready').waitFor({ timeout: 30000 });
  await first.getByText('not created yet').first().waitFor();
  await lab(page, 'api.setSpeed(50)');
  await first.getByText('3 of 3 ready').waitFor();
  const names = () => second.locator('.slot-name').allInnerTexts();
  const before = await names();
  await lab(page, "api.kubectl('delete pod web-1')");
  await page.waitForFunction(() => document.querySelector('podium-lab').api(1).state().resting);
  const after = await names();
  if (after.length !== 3 || after.every((n) => before.includes(n))) throw new Error(`the Deployment's pods: ${before} then ${after}`);
  // played on at that speed, the stage would be empty for a moment only
  await lab(page, 'api.pause()');
  await lab(page, 'api.seek(0)');
  await second.getByText('The stage is empty').waitFor();
});

await journey('reduced motion', { reducedMotion: 'reduce' }, async (page) => {
  await page.getByRole('button', { name: 'Apply', exact: true }).click();
  await text(page, 'web-0');
});

await journey('several labs in a page', {}, async (page) => {
  await page.goto(`${url}embed.html`);
  await page.waitForFunction(() => [...document.querySelectorAll('podium-lab')].filter((e) => e.shadowRoot?.querySelector('.root')?.childElementCount).length > 1, null, { timeout: 20000 });
  const fetched = await page.evaluate(() => performance.getEntriesByType('resource').filter((e) => e.name.endsWith('podium_rest.wasm')).length);
  if (fetched !== 1) throw new Error(`the labs fetched the second module ${fetched} times`);
});

await terminals(journey, lab);
await contract(journey, url);

await journey('a lesson file is learned, its goals are told', {}, async (page) => {
  await page.goto(`${url}#lesson=disk-stays`);
  await page.reload();
  await text(page, 'Write the word hello');
  await lab(page, "globalThis.goals = []; api.on('goal', (d) => goals.push(d.step)); api.on('complete', () => goals.push('complete')); api.setSpeed(50)");
  await text(page, '2 of 2 ready');
  await text(page, 'at rest');
  await lab(page, "api.kubectl(\"exec web-0 -- sh -c 'echo hello > /usr/share/nginx/html/index.html'\")");
  await page.getByRole('button', { name: 'hello', exact: true }).click();
  await lab(page, "api.kubectl('delete pod web-0')");
  await text(page, 'Scale to one pod');
  await lab(page, "api.kubectl('scale sts web --replicas=1')");
  await text(page, 'All goals are met');
  const goals = await page.evaluate('goals.join()');
  if (goals !== '1,2,3,complete') throw new Error(`goals: ${goals}`);
});

await journey('an element that is moved keeps its world', {}, async (page) => {
  await page.getByRole('button', { name: 'Apply', exact: true }).click();
  await lab(page, 'api.setSpeed(50)');
  await text(page, '3 of 3 ready');
  await page.evaluate("const e = document.querySelector('podium-lab'); const d = document.body.appendChild(document.createElement('div')); d.style.height = '100vh'; d.append(e)");
  await page.waitForTimeout(1200);
  await text(page, '3 of 3 ready');
});

await browser.close();
close();
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
