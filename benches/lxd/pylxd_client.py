"""Does what is asked for on standard input with pylxd, and answers each line with `ok` or the error."""

import concurrent.futures
import sys
import warnings

import pylxd

warnings.filterwarnings("ignore")
endpoint, conf, file, image = sys.argv[1:]
pair = (f"{conf}/client.crt", f"{conf}/client.key")
clients = {}


def connect(project=None):
    if project not in clients:
        clients[project] = pylxd.Client(endpoint=endpoint, cert=pair, verify=False, project=project)
    return clients[project]


client = connect()
c1 = client.instances.get("c1")


def execute(_=None):
    assert c1.execute(["true"]).exit_code == 0


def do(figure, name):
    if figure == "List":
        client.instances.all(recursion=2)
    elif figure == "ListMany":
        connect(name).instances.all(recursion=2)
    elif figure == "Exec":
        execute()
    elif figure == "Exec32":
        with concurrent.futures.ThreadPoolExecutor(32) as pool:
            list(pool.map(execute, range(32)))
    elif figure == "Launch":
        config = {"name": name, "source": {"type": "image", "alias": "busybox"}}
        client.instances.create(config, wait=True).start(wait=True)
    elif figure == "Delete":
        instance = client.instances.get(name)
        instance.stop(force=True, wait=True)
        instance.delete(wait=True)
    elif figure == "Push":
        with open(file, "rb") as data:
            c1.files.put("/root/bench-file", data.read())
    elif figure == "Pull":
        with open(f"{conf}/pulled", "wb") as data:
            data.write(c1.files.get("/root/bench-file"))
    elif figure == "Import":
        with open(image, "rb") as data:
            client.images.create(data.read(), wait=True)
    else:
        raise ValueError(figure)


for line in sys.stdin:
    try:
        do(*line.split())
        print("ok", flush=True)
    except Exception as error:
        print(repr(error).replace("\n", " "), flush=True)
