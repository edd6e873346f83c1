// Ends with one clear line where Node is too old; written so that old Nodes can read it.
const [major, minor] = process.versions.node.split(".").map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`Fanfare needs Node 20.19 or newer; this is ${process.versions.node}.`);
  process.exit(1);
}
