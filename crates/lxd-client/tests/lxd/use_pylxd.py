"""What users of pylxd do, against the server that LXD_DIR leads to; any failure ends it with an error."""

import os
import sys

import pylxd

name = sys.argv[1]
client = pylxd.Client()
assert client.trusted, "it is not trusted"
assert "c1" in [instance.name for instance in client.instances.all()], "c1 is not listed"

c1 = client.instances.get("c1")
result = c1.execute(["sh", "-c", "echo out; echo err >&2; exit 7"])
assert (result.exit_code, result.stdout, result.stderr) == (7, "out\n", "err\n"), result

data = os.urandom(3_000_000)
c1.files.put("/root/pylxd", data)
assert c1.files.get("/root/pylxd") == data, "the file came back otherwise"
c1.files.delete("/root/pylxd")

config = {"name": name, "source": {"type": "image", "alias": "busybox"}}
instance = client.instances.create(config, wait=True)
instance.start(wait=True)
assert client.instances.get(name).state().status == "Running"
instance.snapshots.create("s", wait=True)
assert [snapshot.name for snapshot in instance.snapshots.all()] == ["s"]
instance.stop(force=True, wait=True)
instance.delete(wait=True)
assert not client.instances.exists(name), "it is not deleted"

client.profiles.create(name, config={"limits.cpu": "1"})
assert client.profiles.get(name).config == {"limits.cpu": "1"}
client.profiles.get(name).delete()
print("pylxd works")
