// The second module: fetched when the page is idle, or at once when a function of it is called
// before that. Both ways end in the same instance.
const restUrl = new URL('podium_rest.wasm', import.meta.url);
let restArrived = false;
let restComing = null;
function joinRest(module) {
    if (restArrived) return;
    new WebAssembly.Instance(module, { ...podiumImports, p: wasm });
    restArrived = true;
}
function loadRest() {
    // A call cannot wait for a promise: the old way of asking, text of which each character is a byte.
    const request = new XMLHttpRequest();
    request.open('GET', restUrl, false);
    request.overrideMimeType('text/plain; charset=x-user-defined');
    request.send();
    if (request.status >= 400) throw new Error(`${restUrl}: ${request.status}`);
    joinRest(new WebAssembly.Module(Uint8Array.from(request.responseText, (c) => c.charCodeAt(0) & 255)));
}
async function fetchRest() {
    const response = await fetch(restUrl);
    if (!response.ok) throw new Error(`${restUrl}: ${response.status}`);
    joinRest(await WebAssembly.compile(await response.arrayBuffer()));
}
// However many labs ask, it is fetched once; after a failure the next one tries again.
export async function rest() {
    if (restArrived) return;
    await (restComing ??= fetchRest().catch((error) => { restComing = null; throw error; }));
}
