// Asks another evaluator of IAM policies: judge.mjs MODULES CASES ANSWERS
//
// In: the folder of its modules, and a file of cases: a list of objects with `own`, `boundary` and
// `session` (lists of policies; the last two may be null), `action`, `resource` and `context`.
// Out: a file with a list of its answers in the same order, as words.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [modules, from, to] = process.argv.slice(2);
const index = join(modules, "@cloud-copilot/iam-simulate/dist/esm/index.js");
const { runUnsafeSimulation } = await import(pathToFileURL(index).href);

const named = (policies) => policies.map((policy, at) => ({ name: `p${at}`, policy }));
const everything = {
  Version: "2012-10-17",
  Statement: { Effect: "Allow", Action: "*", Resource: "*" },
};

function answer(one) {
  try {
    return runUnsafeSimulation(
      {
        request: {
          principal: "arn:aws:iam::111122223333:role/r",
          action: one.action,
          resource: { resource: one.resource, accountId: "111122223333" },
          contextVariables: one.context,
        },
        identityPolicies: named(one.own),
        permissionBoundaryPolicies: one.boundary ? named(one.boundary) : undefined,
        // A service control policy narrows as a session's policy does, and it knows those alone.
        serviceControlPolicies: [
          { orgIdentifier: "o", policies: named(one.session ?? [everything]) },
        ],
        resourceControlPolicies: [],
      },
      {},
    );
  } catch (error) {
    return `error: ${error.message}`;
  }
}

writeFileSync(to, JSON.stringify(JSON.parse(readFileSync(from, "utf8")).map(answer)));
