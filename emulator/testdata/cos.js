// Asks for credentials with the official COS STS SDK for Node, unmodified. stdin: a JSON list of calls; stdout: a list
// of results, in that order. See cosCall and cosResult in cos_test.go.
const STS = require("qcloud-cos-sts");

async function call(c) {
  const policy = c.scope ? STS.getPolicy(c.scope) : c.policy;
  try {
    const got = await STS.getCredential({
      secretId: c.secretId, secretKey: c.secretKey, host: c.host, region: "ap-guangzhou", durationSeconds: 1800, policy,
    });
    return { token: got.credentials.sessionToken, expiredTime: got.expiredTime };
  } catch (e) {
    return { code: e.Code || String(e), requestId: e.RequestId };
  }
}

async function main() {
  const input = [];
  for await (const chunk of process.stdin) input.push(chunk);
  const results = [];
  for (const c of JSON.parse(Buffer.concat(input).toString())) results.push(await call(c));
  console.log(JSON.stringify(results));
}

main();
