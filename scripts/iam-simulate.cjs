// Reads requests as JSON lines, answers each with the peer iam-simulate and
// writes its decision and the time that it took. `make bench-iam` and `make peer`
// run it in a process of its own: the peer is AGPL-3.0 and never becomes part of dera.
const path = require('path');
const readline = require('readline');
const { createRequire } = require('module');

const folder = path.resolve(process.argv[2]);
const { runSimulation, runUnsafeSimulation } = createRequire(path.join(folder, 'package.json'))('@cloud-copilot/iam-simulate');

const options = { simulationMode: 'Strict' };

// A policy of a resource is taken by the checked simulation alone.
async function decide(simulation) {
  if (!simulation.resourcePolicy) {
    return runUnsafeSimulation(simulation, options);
  }
  const r = await runSimulation(simulation, options);
  return r.resultType === 'error' ? 'error: ' + JSON.stringify(r.errors) : r.overallResult;
}

async function answer() {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const r = JSON.parse(line);
    const simulation = {
      request: {
        principal: r.principal,
        action: r.action,
        resource: { resource: r.resource, accountId: r.account },
        contextVariables: r.context,
      },
      identityPolicies: (r.policies || [r.policy]).map((policy, i) => ({ name: 'policy' + i, policy })),
      serviceControlPolicies: [],
      resourceControlPolicies: [],
      resourcePolicy: r.resourcePolicy,
    };
    const start = process.hrtime.bigint();
    let decision;
    try {
      decision = await decide(simulation);
    } catch (e) {
      decision = 'error: ' + e.message;
    }
    const took = Number(process.hrtime.bigint() - start);
    console.log(JSON.stringify({ decision, nanoseconds: took }));
  }
}

answer();
