// Asks @aws-cdk/cloudformation-diff what an update of templates does; decides nothing itself.
//
// Reads {"before": .., "after": ..} a line from stdin; writes one object a line: of each resource that
// differs the impact on it, and on each of its properties; or {"failed": ..} where it ends in an error.
//
// Usage: node replacements.cjs NODE_MODULES < pairs > answers
const { createRequire } = require("node:module");
const { join, resolve } = require("node:path");
const { createInterface } = require("node:readline");

const modules = createRequire(join(resolve(process.argv[2]), "here.js"));
const { fullDiff } = modules("@aws-cdk/cloudformation-diff");

function answer({ before, after }) {
  const told = {};
  fullDiff(before, after).resources.forEachDifference((id, change) => {
    const properties = {};
    for (const [name, it] of Object.entries(change.propertyUpdates)) {
      properties[name] = it.changeImpact;
    }
    told[id] = { impact: change.changeImpact, properties };
  });
  return told;
}

createInterface({ input: process.stdin }).on("line", (line) => {
  let told;
  try {
    told = answer(JSON.parse(line));
  } catch (error) {
    told = { failed: String(error) };
  }
  console.log(JSON.stringify(told));
});
