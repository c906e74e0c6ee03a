// The greeting flow on Temporal's TypeScript SDK.
const { proxyActivities } = require('@temporalio/workflow');

const { greet, process, finish } = proxyActivities({ startToCloseTimeout: '10 seconds' });

exports.GreetingWorkflow = async function GreetingWorkflow(name) {
  return finish(await process(await greet(name)));
};
