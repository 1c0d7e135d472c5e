// Makes the members of MONGO_MEMBERS a replica set, and exits with 0 once this server knows its primary. Repeating it
// changes nothing. With several members it runs on the first of them only.
const members = (process.env.MONGO_MEMBERS || "mongo:27017").split(",");
const settings = JSON.parse(require("fs").readFileSync(`${__dirname}/replica-set.json`, "utf8"));
try {
  rs.status();
} catch (error) {
  if (error.codeName !== "NotYetInitialized") throw error;
  rs.initiate({ _id: "towpath", members: members.map((host, _id) => ({ _id, host })), settings });
}
const hello = db.hello();
quit(hello.isWritablePrimary || (hello.secondary && hello.primary) ? 0 : 1);
