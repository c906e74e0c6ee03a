// The worker with the SDK's defaults and the codec.
const { NativeConnection, Worker } = require('@temporalio/worker');
const { EncryptionCodec } = require('./codec');

const activities = {
  greet: async (name) => `Hello, ${name}!`,
  process: async (greeting) => `Processed: ${greeting}`,
  finish: async (processed) => `Final result: ${processed}`,
};

async function main() {
  const { TEMPORAL_ADDRESS, TEMPORAL_TASK_QUEUE, SEALANE_KEY_FILE } = process.env;
  const connection = await NativeConnection.connect({ address: TEMPORAL_ADDRESS });
  const worker = await Worker.create({
    connection,
    taskQueue: TEMPORAL_TASK_QUEUE,
    workflowsPath: require.resolve('./workflows'),
    activities,
    dataConverter: { payloadCodecs: [await EncryptionCodec.create(SEALANE_KEY_FILE)] },
  });
  await worker.run();
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
