// Plays a first visit with a module that notes which functions run, and writes the lists of those
// that ran and of those that did not, for split.mjs.   node profile.mjs DIST HOT COLD [--also]
// --also: what the lists say already stays true, of another compiler's build.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const e2e = join(dirname(fileURLToPath(import.meta.url)), '../../tests/e2e/');
const { chromium } = createRequire(e2e)('playwright-core');
const { serve } = await import(join(e2e, 'server.mjs'));
const dist = process.argv[2];
const { url, close } = await serve(dist);
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM || '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu'] });
const marks = new Set();
const visits = [
  {},
  { viewport: { width: 360, height: 780 }, colorScheme: 'dark', locale: 'zh-CN' },
  { reducedMotion: 'reduce' },
];
// no two visits run quite the same functions: times and memory differ
const ROUNDS = 5;
// an embedded lab that does not play by itself
const lab = `<podium-lab views="stage time editor" theme="dark" lang="zh" speed="2" seed="3" readonly controls="true"><pre>
apiVersion: v1
kind: Service
metadata: {name: db}
spec: {clusterIP: None, selector: {app: db}, ports: [{port: 80}]}
</pre></podium-lab>`;
for (const options of Array.from({ length: ROUNDS }, () => visits).flat()) {
  const page = await browser.newPage(options);
  page.on('pageerror', (e) => { throw e; });
  await page.goto(url);
  await page.locator('podium-lab [class*=stage]').first().waitFor();
  await page.waitForTimeout(1500);
  // the pointer on its way, and words typed into the editor
  await page.mouse.move(400, 300);
  await page.mouse.move(900, 500);
  const editor = page.locator('textarea').first();
  if (await editor.isVisible()) {
    await editor.press('End');
    await editor.pressSequentially(' # x');
    await page.waitForTimeout(800);
  }
  await page.evaluate((html) => document.body.insertAdjacentHTML('beforeend', html), lab);
  await page.waitForTimeout(1000);
  for (const i of await page.evaluate('[...globalThis.podiumMarks].flatMap((v, i) => v ? [i] : [])')) marks.add(i);
  await page.close();
}
await browser.close();
close();
const keys = JSON.parse(readFileSync(join(dist, 'functions.json'), 'utf8'));
const [hotFile, coldFile, also] = process.argv.slice(3);
const before = (file) => (also && existsSync(file) ? readFileSync(file, 'utf8').split('\n').filter(Boolean) : []);
const hot = new Set([...before(hotFile), ...[...marks].map((i) => keys[i])]);
const cold = new Set([...before(coldFile), ...keys].filter((k) => !hot.has(k)));
for (const [file, list] of [[hotFile, hot], [coldFile, cold]]) writeFileSync(file, `${[...list].sort().join('\n')}\n`);
