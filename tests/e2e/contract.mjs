// What pages that embed the element rely on: its attributes, its interface, its events, its
// messages from a frame (ARCHITECTURE.md, the element).

const YAML = `apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db}
spec:
  serviceName: db
  replicas: 2
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec: {containers: [{name: db, image: "nginx:1.27"}]}
`;

const expect = (what, found, wanted) => {
  if (JSON.stringify(found) !== JSON.stringify(wanted)) throw new Error(`${what}: ${JSON.stringify(found)}, not ${JSON.stringify(wanted)}`);
};

// Puts an element with these attributes into the page, alone, and waits until it is ready.
const put = (page, attributes, inner = '') => page.evaluate(async ([attributes, inner]) => {
  for (const old of document.querySelectorAll('podium-lab')) old.remove();
  const e = document.createElement('podium-lab');
  e.style.height = '600px';
  for (const [name, value] of Object.entries(attributes)) e.setAttribute(name, value);
  e.innerHTML = inner;
  globalThis.told = [];
  const ready = new Promise((done) => document.addEventListener('podium-ready', done, { once: true }));
  for (const name of ['ready', 'event', 'change', 'error']) {
    e.addEventListener(`podium-${name}`, (ev) => told.push([name, ev.detail, ev.bubbles && ev.composed]));
  }
  document.body.append(e);
  await ready;
}, [attributes, inner]);

const inside = (page, act) => page.evaluate(`(async () => {
  const e = document.querySelector('podium-lab');
  const api = e.api(1);
  const pods = () => api.state().objects.filter((o) => o.kind === 'Pod' && o.metadata.namespace === 'default').map((o) => o.metadata.name);
  const find = (selector) => e.shadowRoot.querySelector(selector);
  ${act}
})()`);

export async function contract(journey, url) {
  await journey('the interface of the element', {}, async (page) => {
    await put(page, { seed: '7' });
    await inside(page, `api.pause(); api.apply(${JSON.stringify(YAML)})`);
    expect('paused, nothing is made yet', await inside(page, 'return pods()'), []);
    expect('after seek', await inside(page, 'api.seek(60); return [pods(), api.state().at]'), [['db-0', 'db-1'], 60]);
    await inside(page, "api.kubectl('scale sts db --replicas=1'); api.seek(120)");
    expect('after kubectl', await inside(page, 'return pods()'), ['db-0']);
    const back = await inside(page, "const t = api.state().at; api.step(-3); return api.state().at < t");
    expect('step goes back', back, true);
    const [text, link] = await inside(page, 'return [api.export(), api.permalink()]');
    if (!/^#v1\.[\w-]+$/.test(link)) throw new Error(`permalink: ${link}`);
    for (const recording of [text, link]) {
      await put(page, {});
      await inside(page, `api.import(${JSON.stringify(recording)}); api.seek(60)`);
      expect('an imported run', await inside(page, 'return pods()'), ['db-0', 'db-1']);
      await inside(page, 'api.seek(120)');
      expect('an imported run, later', await inside(page, 'return pods()'), ['db-0']);
    }
    for (const text of ['#v1.nonsense', '{', '', '{"format":2,"seed":1,"nodes":3,"latency":"realistic","inputs":[]}']) {
      expect(`import of ${text}`, await inside(page, `try { api.import(${JSON.stringify(text)}); return 'taken' } catch (err) { return err instanceof Error }`), true);
    }
    expect('speed and play', await inside(page, "api.setSpeed(10); api.play(); return api.state().playing"), true);
    expect('another version', await inside(page, "try { e.api(2); return '' } catch (err) { return err.name }"), 'RangeError');
  });

  await journey('the events of the element', {}, async (page) => {
    await put(page, {});
    await inside(page, `globalThis.heard = []; globalThis.off = api.on('event', (d) => heard.push(d)); api.setSpeed(100); api.apply(${JSON.stringify(YAML)})`);
    await page.waitForFunction(() => heard.some((d) => d.kind === 'Pod' && d.name === 'db-1' && d.type === 'ADDED'));
    const order = await page.evaluate(() => heard.filter((d) => d.kind === 'Pod' && d.type === 'ADDED').map((d) => d.name));
    expect('pods are made in order', order.filter((n) => n.startsWith('db-')), ['db-0', 'db-1']);
    expect('all bubble and are composed', await page.evaluate(() => told.every(([, , crosses]) => crosses)), true);
    expect('changes are told', await page.evaluate(() => told.some(([name, d]) => name === 'change' && d.at > 0)), true);
    const changes = (act) => inside(page, `told.length = 0; ${act}; await new Promise((done) => setTimeout(done, 300)); return told.map(([name, d]) => [name, d.at])`);
    expect('back in time', await changes('api.pause(); api.seek(0.05)'), [['change', 0.05]]);
    expect('another history', await changes("api.import(api.export())"), [['change', 0.05]]);
    await inside(page, 'api.seek(60); api.play()');
    await inside(page, "off(); heard.length = 0; api.kubectl('delete pod db-1 --wait=false'); api.apply('kind: Pod')");
    await page.waitForFunction(() => told.some(([name]) => name === 'error'));
    const error = await page.evaluate(() => told.find(([name]) => name === 'error')[1]);
    if (!/apiVersion/.test(error)) throw new Error(`error: ${error}`);
    expect('nothing is heard after off', await page.evaluate(() => heard.length), 0);
  });

  await journey('the attributes of the element', {}, async (page) => {
    await put(page, { autoplay: '', speed: '100', views: 'stage terminal', theme: 'dark', lang: 'zh' }, `<pre>\n${YAML}</pre>`);
    await page.waitForFunction(() => document.querySelector('podium-lab').api(1).state().objects.some((o) => o.kind === 'Pod' && o.metadata.name === 'db-1'));
    expect('views', await inside(page, "return ['.editor', '.stage', '.why', '.time', '.term'].map((s) => !!find(s) && find(s).offsetHeight > 0)"), [false, true, false, false, true]);
    expect('language', await inside(page, "return /就绪/.test(e.shadowRoot.textContent)"), true);
    expect('theme', await inside(page, "return getComputedStyle(find('.stage')).colorScheme"), 'dark');

    await put(page, { readonly: '', controls: 'false' }, `<script type="application/yaml">\n${YAML}</script>`);
    expect('readonly', await inside(page, "return find('textarea').readOnly"), true);
    expect('the inner manifest', await inside(page, "return find('textarea').value.includes('name: db')"), true);

    await put(page, { src: 'examples/parallel.yaml', autoplay: '', 'start-at': '90s' });
    expect('start-at', await inside(page, 'return api.state().at >= 90'), true);
    const link = await inside(page, 'return api.permalink()');
    const pods = await inside(page, 'return pods()');
    if (!pods.length) throw new Error('src: no pods');
    await put(page, { 'start-at': '20s' }, `<pre>\n${YAML}</pre>`);
    expect('start-at without autoplay', await inside(page, 'return [pods(), api.state().at, api.state().playing]'), [['db-0', 'db-1'], 20, false]);
    await put(page, { 'start-at': '40s', lesson: 'disk-stays' });
    expect('start-at in a lesson', await inside(page, 'return [pods(), api.state().at >= 40, !!find(".exercise")]'), [['web-0', 'web-1'], true, true]);
    await put(page, { recording: link });
    expect('recording', await inside(page, 'api.seek(90); return pods()'), pods);
  });

  const seen = 'return [find("textarea")?.value.split("\\n").find((l) => l.includes("name:")), find("[role=alert]")?.textContent ?? null]';
  const told = (page) => page.evaluate(() => globalThis.told.filter(([name]) => name === 'ready' || name === 'error').map(([name, detail]) => detail ?? name));

  await journey('what does not come is told, and the lab is there', {}, async (page) => {
    const own = `<pre>\n${YAML}</pre>`;
    const name = 'metadata: {name: db}';
    for (const [attributes, why] of [
      [{ src: 'nothing.yaml' }, 'nothing.yaml: 404'],
      [{ lesson: 'no/such.yaml' }, 'no/such.yaml: 404'],
      [{ lesson: 'examples/web.yaml' }, 'the lesson has no id'],
      [{ recording: '#v1.nonsense' }, 'the link is damaged or too large: it does not unfold'],
    ]) {
      await put(page, attributes, own);
      expect(why, (await told(page)).sort(), ['ready', why].sort());
      expect(why, await inside(page, seen), [name, `Podium: ${why}`]);
    }
    for (const [attribute, value] of [['src', 'nothing.yaml'], ['lesson', 'no/such.yaml'], ['recording', 'v1.nonsense']]) {
      await put(page, {}, own);
      await inside(page, `const heard = new Promise((done) => e.addEventListener('podium-error', done)); e.setAttribute('${attribute}', '${value}'); await heard`);
      const [text, alert] = await inside(page, seen);
      expect(`late ${attribute}`, [text, !!alert], [name, true]);
    }
    await inside(page, "e.removeAttribute('recording'); e.setAttribute('src', 'examples/parallel.yaml')");
    await page.waitForFunction(() => document.querySelector('podium-lab').shadowRoot.querySelector('textarea').value.includes('Parallel'));
    expect('then one that is there', (await inside(page, seen))[1], null);
  }, /404/);

  await journey('attributes that change while texts come', {}, async (page) => {
    await page.route('**/slow.yaml', async (route) => {
      await page.waitForTimeout(1500);
      await route.fulfill({ body: YAML, contentType: 'text/plain' }).catch(() => {});
    });
    const change = (acts) => page.evaluate((acts) => { globalThis.ticks = setTimeout(() => new Function('e', acts)(document.querySelector('podium-lab')), 500); }, acts);
    await change("e.setAttribute('src', 'examples/parallel.yaml'); e.setAttribute('theme', 'dark')");
    await put(page, { src: 'slow.yaml' });
    expect('src and theme', await inside(page, "return [find('textarea').value.includes('Parallel'), getComputedStyle(find('.stage')).colorScheme]"), [true, 'dark']);
    await inside(page, "e.setAttribute('src', 'slow.yaml'); e.setAttribute('src', 'examples/parallel.yaml')");
    await page.waitForTimeout(2000);
    expect('a slow answer comes too late', await inside(page, "return find('textarea').value.includes('Parallel')"), true);
    // taken out for good, and put in again, while its manifest is under way
    const times = await page.evaluate(async () => {
      const wait = (ms) => new Promise((done) => setTimeout(done, ms));
      const e = document.querySelector('podium-lab');
      e.remove();
      await wait(1200);
      let ready = 0;
      e.addEventListener('podium-ready', () => { ready += 1; });
      e.setAttribute('src', 'slow.yaml');
      document.body.append(e);
      await wait(100);
      e.remove();
      await wait(1200);
      document.body.append(e);
      await wait(2500);
      return [ready, e.shadowRoot.querySelectorAll('.root').length];
    });
    expect('it begins once', times, [1, 1]);
  });

  await journey('another address of the page', {}, async (page) => {
    await page.waitForFunction(() => document.querySelector('podium-lab').shadowRoot?.querySelector('textarea'));
    await page.evaluate(() => { location.hash = '#v1.nonsense'; });
    await page.getByRole('alert').getByText('damaged').waitFor();
    await page.evaluate(() => { location.hash = '#lesson=disk-stays&lang=zh'; });
    await page.locator('.exercise').getByText('磁盘留下').waitFor();
    await page.goto('about:blank');
    await page.goto(`${url}#v1.nonsense`);
    await page.getByRole('alert').getByText('damaged').waitFor();
    await page.getByRole('button', { name: 'Apply', exact: true }).waitFor();
  });

  await journey('a page elsewhere with a strict policy', {}, async (page) => {
    await page.route('**/deep/er/page', (route) => route.fulfill({
      contentType: 'text/html',
      headers: { 'content-security-policy': "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; style-src 'self'" },
      body: '<!doctype html><script type="module" src="/js/podium.js"></script>',
    }));
    await page.goto(`${url}deep/er/page`);
    await put(page, { autoplay: '', speed: '50' }, `<pre>\n${YAML}</pre>`);
    await page.waitForFunction(() => document.querySelector('podium-lab').shadowRoot.querySelectorAll('.pod-place').length === 2);
    expect('places', await inside(page, "return new Set([...e.shadowRoot.querySelectorAll('.pod-place')].map((p) => p.getBoundingClientRect().x)).size"), 2);
    expect('a lesson that ships', await inside(page, "e.setAttribute('lesson', 'disk-stays'); await new Promise((done) => setTimeout(done, 1500)); return !!find('.exercise')"), true);
  }, /404|favicon/);

  await journey('a frame takes options and posts messages', {}, async (page) => {
    const heard = (hash) => page.evaluate(async ([url, hash]) => {
      document.querySelector('iframe')?.remove();
      const frame = document.createElement('iframe');
      frame.style.cssText = 'width:900px;height:600px';
      const names = new Set();
      await new Promise((done, fail) => {
        addEventListener('message', (e) => {
          if (e.source !== frame.contentWindow) return;
          names.add(e.data.type);
          if (['podium-ready', 'podium-event', 'podium-change'].every((n) => names.has(n)) || names.has('podium-error')) done();
        });
        setTimeout(() => fail(new Error(`only ${[...names]}`)), 20000);
        frame.src = `${url}index.html#${hash}`;
        document.body.append(frame);
      });
      return [...names].sort();
    }, [url, hash]);
    expect('messages', await heard('src=examples/parallel.yaml&autoplay&speed=20'), ['podium-change', 'podium-event', 'podium-ready']);
    const editor = page.frameLocator('iframe').locator('textarea').first();
    const text = await editor.inputValue();
    if (!text.includes('Parallel')) throw new Error(`src in the hash: ${text.slice(0, 60)}`);
    expect('another site', await heard('src=https://elsewhere.example/x.yaml'), ['podium-error']);
  });
}
