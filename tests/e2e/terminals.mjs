// Journeys through terminals and files.

const line = (page) => page.locator('.console:not([hidden]) .prompt input');
const shown = (page) => page.locator('.console:not([hidden]) .output').innerText();

// Waits until the terminal shows something.
async function shows(page, pattern) {
  for (let i = 0; i < 200; i += 1) {
    if (pattern.test(await shown(page))) return;
    await page.waitForTimeout(50);
  }
  throw new Error(`the terminal does not show ${pattern}:\n${await shown(page)}`);
}

async function type(page, text) {
  await line(page).click();
  await page.keyboard.type(text);
  await page.keyboard.press('Enter');
}

async function paste(page, text) {
  await line(page).click();
  await page.evaluate((text) => {
    const field = document.querySelector('podium-lab').shadowRoot.querySelector('.console:not([hidden]) .prompt input');
    const clipboardData = new DataTransfer();
    clipboardData.setData('text', text);
    field.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true }));
  }, text);
}

const holds = async (page, want, what) => {
  const got = await line(page).inputValue();
  if (got !== want) throw new Error(`${what}: the line is ${JSON.stringify(got)}, not ${JSON.stringify(want)}`);
};

export async function terminals(journey, lab) {
  await journey('a command line as in bash', {}, async (page) => {
    await line(page).waitFor();
    await lab(page, 'api.setSpeed(50)');
    await line(page).click();
    await page.keyboard.type('kub');
    await page.keyboard.press('Tab');
    await page.keyboard.type('app');
    await page.keyboard.press('Tab');
    await page.keyboard.type('-f w');
    await page.keyboard.press('Tab');
    await holds(page, 'kubectl apply -f web.yaml ', 'Tab');
    await page.keyboard.press('Enter');
    await shows(page, /statefulset\.apps\/web created/);
    await page.keyboard.type('kubectl get sts/w');
    await page.keyboard.press('Tab');
    await holds(page, 'kubectl get sts/web ', 'a name that lives');
    await page.keyboard.press('Control+u');
    await page.keyboard.type('kubectl get po');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Tab');
    await shows(page, /poddisruptionbudgets +podtemplates|podtemplates/);
    await page.keyboard.press('Control+c');
    await shows(page, /kubectl get po\^C/);
    await page.keyboard.press('Control+r');
    await page.keyboard.type('appl');
    await page.keyboard.press('Escape');
    await holds(page, 'kubectl apply -f web.yaml ', 'reverse search');
    await page.keyboard.press('Control+u');
    await page.keyboard.press('ArrowUp');
    await holds(page, 'kubectl apply -f web.yaml ', 'the up arrow');
    await page.keyboard.press('Control+c');
    await page.keyboard.press('Control+l');
    if (/created/.test(await shown(page))) throw new Error('Ctrl+L left lines');
    // no trap: Tab on an empty line goes on
    await page.keyboard.press('Tab');
    if (await line(page).evaluate((field) => field.matches(':focus'))) throw new Error('Tab does not leave an empty line');
  });

  await journey('pasted lines, and the tabs as a folder', {}, async (page) => {
    await line(page).waitFor();
    await lab(page, 'api.setSpeed(50)');
    await paste(page, "kubectl apply -f - <<EOF\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: pasted}\nEOF\nfor i in 0 1\ndo echo n$i\ndone\nkubectl get cm pasted -o yaml > kept.yaml\nkubectl run -it box --image=busybox:1.28 --restart=Never --rm\nhostname\nexit\necho unfinished");
    await shows(page, /configmap\/pasted created\n.*\n.*\n.*\nn0\nn1\n/);
    await shows(page, /\/ # hostname\nbox\n\/ # exit\npod "box" deleted from default namespace/);
    await holds(page, 'echo unfinished', 'what has no line end');
    await page.keyboard.press('Control+c');
    await page.getByRole('tab', { name: 'kept.yaml' }).click();
    const text = page.getByLabel('Text of kept.yaml');
    if (!/name: pasted/.test(await text.inputValue())) throw new Error('the tab does not show what was written');
    // what stands in the tab is what a command sees, applied or not
    await text.fill('apiVersion: v1\nkind: ConfigMap\nmetadata: {name: typed}\n');
    await type(page, 'kubectl apply -f kept.yaml');
    await shows(page, /configmap\/typed created/);
    const link = await lab(page, 'return api.permalink()');
    await page.reload();
    await line(page).waitFor();
    await lab(page, `api.import(${JSON.stringify(link)})`);
    await page.getByRole('tab', { name: 'kept.yaml' }).click();
    if (!/name: typed/.test(await text.inputValue())) throw new Error('a recording does not bring all its files');
  });

  await journey('kubectl edit opens the editor', {}, async (page) => {
    await line(page).waitFor();
    await lab(page, 'api.setSpeed(50)');
    // the tutorial's manifest, not the file of the same name
    await type(page, 'kubectl apply -f https://k8s.io/examples/application/web/web.yaml');
    await shows(page, /statefulset\.apps\/web created/);
    await type(page, 'kubectl edit sts web');
    const text = page.getByLabel(/Text of kubectl-edit-/);
    await text.waitFor();
    const yaml = await text.inputValue();
    if (!/^# Please edit the object below/.test(yaml) || !/ {2}replicas: 2\n/.test(yaml)) throw new Error(yaml);
    await text.fill(yaml.replace('serviceName: nginx', 'serviceName: other').replace('replicas: 2', 'replicas: 3'));
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await shows(page, /error: statefulsets\.apps "web" is invalid/);
    const again = await text.inputValue();
    if (!/# \* spec: Forbidden: updates to statefulset spec/.test(again)) throw new Error(again);
    await text.fill(again.replace('serviceName: other', 'serviceName: nginx'));
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await shows(page, /statefulset\.apps\/web edited/);
    await page.getByText('3 of 3 ready').first().waitFor({ timeout: 30000 });
    await type(page, 'kubectl edit sts web');
    await page.getByRole('button', { name: 'Close', exact: true }).click();
    await shows(page, /Edit cancelled, no changes made\./);
  });

  await journey('ten thousand lines', { viewport: { width: 360, height: 740 } }, async (page) => {
    await page.getByRole('tab', { name: 'Terminal', exact: true }).click();
    await type(page, 'seq 1 10000');
    await shows(page, /\n10000$/);
    // the work of one more line does not grow with those before it
    const took = await page.evaluate(async () => {
      const field = document.querySelector('podium-lab').shadowRoot.querySelector('.console:not([hidden]) .prompt input');
      const times = [];
      for (let i = 0; i < 9; i += 1) {
        field.value = `echo ${i}`;
        const begin = performance.now();
        field.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true, cancelable: true }));
        await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
        times.push(performance.now() - begin);
        await new Promise((done) => setTimeout(done, 50));
      }
      return times.sort((a, b) => a - b)[4];
    });
    console.log(`     a line more after 10000: on screen in ${took.toFixed(0)} ms`);
    if (took > 100) throw new Error(`a line took ${took} ms`);
    const wide = await page.evaluate('document.documentElement.scrollWidth');
    if (wide > 360) throw new Error(`the page is ${wide} pixels wide`);
  });
}
