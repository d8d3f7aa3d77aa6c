// All that the npm package mixpanel 0.10.3 can do, sent to the sandbox whose host and port are the argument.
const { promisify } = require("util");
const mixpanel = require("mixpanel");

const config = { host: process.argv[2], protocol: "http", key: "an api key" };

async function main() {
  const plain = mixpanel.init("a token", config);
  const verbose = mixpanel.init("a token", { ...config, verbose: true, test: true });
  const does = (client, name) => promisify(client[name].bind(client));
  const people = (name) => promisify(plain.people[name].bind(plain.people));
  const old = new Date(1245613885900);

  await does(plain, "track")("Signed Up", { distinct_id: "13793", plan: "pro", name: "Zoë ~~>>??", at: old });
  await does(verbose, "track")("Logged In", { distinct_id: "13793", ip: "203.0.113.9", time: new Date() });
  await does(plain, "import")("Invited", old, { distinct_id: "13793" });
  await does(plain, "alias")("13793", "zoe@example.com");
  await does(plain, "track")("Logged In", { distinct_id: "zoe@example.com" });

  await people("set")("zoe@example.com", { $name: "Zoë", joined: old, gone: 1, ip: "203.0.113.9" });
  await people("set_once")("13793", { plan: "pro", gone: 2 }, { $ip: 0, $time: old });
  await people("increment")("13793", "logins");
  await people("increment")("13793", { logins: 1, credits: -0.5 }, { $ignore_time: true });
  await people("append")("13793", "visited", "home");
  await people("union")("13793", { colours: ["red", "red", "blue"], shape: "round" });
  await people("unset")("13793", ["gone"], { $ignore_alias: true });
  await people("track_charge")("13793", 25.34, { $time: new Date("2013-01-03T09:00:00Z"), sku: "a" });
  await people("track_charge")("13793", "4");
  await people("track_charge")("cleared", 9);
  await people("clear_charges")("cleared");
  await people("set")("deleted", "a", 1);
  await people("delete_user")("deleted");

  const step = (number, extra) => ({ event: "Step", properties: { distinct_id: "batched", number, ...extra } });
  const steps = [...Array(120).keys()];
  // One request at a time, so that they arrive in order.
  const options = { max_concurrent_requests: 1 };
  await does(verbose, "track_batch")(steps.map((number) => step(number)), options);
  await does(plain, "import_batch")(steps.slice(0, 60).map((number) => step(number, { time: old })), options);
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
