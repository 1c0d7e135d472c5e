// Makes the server the only member of its replica set, and exits with 0 once it is primary. Repeating it changes nothing.
try {
  rs.status();
} catch (error) {
  if (error.codeName !== "NotYetInitialized") throw error;
  rs.initiate({
    _id: "towpath",
    members: [{ _id: 0, host: "mongo:27017" }],
    settings: { electionTimeoutMillis: 2000 },
  });
}
quit(db.hello().isWritablePrimary ? 0 : 1);
