// Asks the simulator @cloud-copilot/iam-simulate what AWS would answer; decides nothing itself.
//
// Reads {"requests": [...]} from stdin, each with `principal`, `action`, `resource`, `account`,
// `context`, `identity` (policies of the principal), `resource_policy` and `unchecked`; writes one
// answer for each, in order. Every request is checked against the Service Authorization Reference
// first; `unchecked` leaves that out, for context keys of which the Reference does not know.
//
// Usage: node iam_simulate.cjs NODE_MODULES < requests > answers
const { createRequire } = require("node:module");
const { readFileSync } = require("node:fs");
const { dirname, join, resolve } = require("node:path");

const modules = createRequire(join(dirname(resolve(process.argv[2])), "here.js"));
const { runSimulation, runUnsafeSimulation } = modules("@cloud-copilot/iam-simulate");

async function answer(request) {
  const simulation = {
    request: {
      principal: request.principal,
      action: request.action,
      resource: { resource: request.resource, accountId: request.account },
      contextVariables: request.context,
    },
    identityPolicies: request.identity.map((policy, index) => ({ name: `policy ${index}`, policy })),
    serviceControlPolicies: [],
    resourceControlPolicies: [],
    resourcePolicy: request.resource_policy ?? undefined,
  };
  if (request.unchecked) {
    const result = await runUnsafeSimulation(simulation, {});
    return { result: result?.result ?? result, ignored: [], error: null };
  }
  const told = await runSimulation(simulation, {});
  if (told.resultType === "error") {
    return { result: "Error", ignored: [], error: told.errors };
  }
  if (told.resultType === "wildcard") {
    // Only an action that knows no resources is asked about on `*`.
    const ignored = told.results.flatMap((it) => it.ignoredContextKeys ?? []);
    const error = request.resource === "*" ? null : { message: "the resource holds a wildcard" };
    return { result: told.overallResult, ignored, error };
  }
  return { result: told.overallResult, ignored: told.result.ignoredContextKeys ?? [], error: null };
}

(async () => {
  const { requests } = JSON.parse(readFileSync(0, "utf8"));
  const answers = [];
  for (const request of requests) {
    answers.push(await answer(request));
  }
  process.stdout.write(JSON.stringify(answers));
})();
