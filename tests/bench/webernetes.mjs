// How long the nearest peer takes for a Deployment: the row of benches/rows.rs, beside it.
// Its clock is the wall's; its own latencies are left as they come.
import { BaseImage, Cluster } from '@ngrok/webernetes';

class Nginx extends BaseImage {
  static imageName = 'nginx';
  static imageVersion = '1.27';
  defaultCommand = ['server'];
  async exec(ctx, argv) {
    return argv[0] === 'server' ? ctx.waitUntilKilled() : super.exec(ctx, argv);
  }
}

async function untilReady(pods) {
  const cluster = new Cluster();
  cluster.registerImage(Nginx);
  await cluster.init();
  const ready = new Set();
  let all;
  const done = new Promise((resolve) => { all = resolve; });
  const informer = cluster.informer('pods', (type, pod) => {
    const is = type !== 'delete' && pod.status?.conditions?.some((c) => c.type === 'Ready' && c.status === 'True');
    if (is) ready.add(pod.metadata.name);
    else ready.delete(pod.metadata.name);
    if (ready.size === pods) all();
  }, { namespace: 'default', labelSelector: 'app=web' });
  await informer.start?.();
  const begin = performance.now();
  await cluster.apply([{
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace: 'default' },
    spec: {
      replicas: pods,
      selector: { matchLabels: { app: 'web' } },
      template: {
        metadata: { labels: { app: 'web' } },
        spec: { containers: [{ name: 'nginx', image: 'nginx:1.27' }] },
      },
    },
  }]);
  await done;
  const took = performance.now() - begin;
  await informer.stop();
  await cluster.close();
  return took;
}

for (const pods of process.argv.slice(2).map(Number)) {
  const took = await untilReady(pods);
  console.log(`peer    ${`webernetes 0.3.5: Deployment of ${pods} pods to ready`.padEnd(58)} ${`${took.toFixed(0)} ms`.padStart(12)}`);
}
process.exit(0);
