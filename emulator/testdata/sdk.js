// Makes STS calls with the official Node SDK, unmodified. stdin: a JSON list of calls; stdout: a list of
// results, in that order. See nodeCall and nodeResult in node_test.go.
const { Client } = require("tencentcloud-sdk-nodejs-sts").sts.v20180813;

async function call(c, issued) {
  const credential = c.asIssuedUser
    ? { secretId: issued.TmpSecretId, secretKey: issued.TmpSecretKey, token: issued.Token }
    : { secretId: c.secretId, secretKey: c.secretKey, token: c.token };
  const client = new Client({
    credential,
    region: "ap-guangzhou",
    profile: {
      signMethod: c.signMethod || "TC3-HMAC-SHA256",
      httpProfile: { endpoint: c.endpoint, protocol: "http://", reqMethod: c.method || "POST" },
    },
  });
  try {
    return { response: await client[c.action](c.params) };
  } catch (e) {
    return { code: e.code || String(e), requestId: e.requestId };
  }
}

async function main() {
  const input = [];
  for await (const chunk of process.stdin) input.push(chunk);
  const results = [];
  let issued;
  for (const c of JSON.parse(Buffer.concat(input).toString())) {
    const result = await call(c, issued);
    if (result.response?.Credentials) issued = result.response.Credentials;
    results.push(result);
  }
  console.log(JSON.stringify(results));
}

main();
