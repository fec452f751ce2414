// Reads requests as JSON lines, answers each with the peer iam-simulate and
// writes its decision and the time that it took. `make bench-iam` runs it in a
// process of its own: the peer is AGPL-3.0 and never becomes part of dera.
const path = require('path');
const readline = require('readline');
const { createRequire } = require('module');

const folder = path.resolve(process.argv[2]);
const { runUnsafeSimulation } = createRequire(path.join(folder, 'package.json'))('@cloud-copilot/iam-simulate');

const options = { simulationMode: 'Strict' };
const lines = readline.createInterface({ input: process.stdin });
lines.on('line', (line) => {
  const r = JSON.parse(line);
  const simulation = {
    request: {
      principal: r.principal,
      action: r.action,
      resource: { resource: r.resource, accountId: r.account },
      contextVariables: r.context,
    },
    identityPolicies: [{ name: 'policy', policy: r.policy }],
    serviceControlPolicies: [],
    resourceControlPolicies: [],
  };
  const start = process.hrtime.bigint();
  let decision;
  try {
    decision = runUnsafeSimulation(simulation, options);
  } catch (e) {
    decision = 'error: ' + e.message;
  }
  const took = Number(process.hrtime.bigint() - start);
  console.log(JSON.stringify({ decision, nanoseconds: took }));
});
