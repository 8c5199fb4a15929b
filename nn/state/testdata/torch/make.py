#!/usr/bin/python3
"""Writes objects.tar.bz2 and layouts.tar.bz2, files of torch.save whose tensors must be read, whatever lies beside them, and modules.tar.bz2, whole
modules, which are refused.

Run it with PyTorch 1.13 and NumPy (Debian 12: python3-torch). Each file holds the same four tensors, which are spelled out in
torch_field_test.go too. Classes that this machine does not have, such as OmegaConf's, are made up under their names: a file has only the names.
Newer layouts of PyTorch are pickled by hand.
"""
import argparse, array, collections, copyreg, dataclasses, datetime, decimal, enum, fractions, functools, io, ipaddress, logging, operator, os, pathlib
import pickle, random, re, string, sys, tarfile, types, typing, uuid, zipfile, zoneinfo
import numpy as np
import torch

torch.manual_seed(0)


def base():
    return collections.OrderedDict([
        ("blocks.0.weight", torch.arange(6, dtype=torch.float32).reshape(2, 3)),
        ("blocks.0.bias", torch.tensor([-1.0, 2.0])),
        ("blocks.0.index", torch.tensor([[1, -2], [3, 4]])),
        ("head.half", torch.tensor([0.5, -0.25], dtype=torch.float16)),
    ])


def made_up(module, name, parent=object, **body):
    """A class under the name of a module that need not be there."""
    parts = module.split(".")
    for i in range(len(parts)):
        full = ".".join(parts[: i + 1])
        sys.modules.setdefault(full, types.ModuleType(full))
    cls = type(parent)(name, (parent,), dict(body, __module__=module)) if parent is not object else type(name, (), dict(body, __module__=module))
    cls.__qualname__ = name
    setattr(sys.modules[module], name, cls)
    return cls


def with_attributes(cls, **attributes):
    o = cls.__new__(cls)
    o.__dict__.update(attributes)
    return o


def function(x):
    return x


class Color(enum.Enum):
    RED = 1


class Flag(enum.IntFlag):
    A = 1
    B = 2


@dataclasses.dataclass
class Arguments:
    lr: float = 0.1
    betas: tuple = (0.9, 0.95)


@dataclasses.dataclass(frozen=True)
class Frozen:
    a: int = 1


class Slots:
    __slots__ = ("a",)

    def __init__(self):
        self.a = 1


class Keywords:
    def __new__(cls, *, a):
        return super().__new__(cls)

    def __getnewargs_ex__(self):
        return (), {"a": 1}


Point = collections.namedtuple("Point", "x y")


class Typed(typing.NamedTuple):
    x: int = 1


class ListOfOwn(list):
    pass


class DictOfOwn(dict):
    pass


class TextOfOwn(str):
    pass


class Tensor(torch.Tensor):
    pass


class Outer:
    class Inner:
        pass


def cyclic():
    a = with_attributes(made_up("omegaconf.dictconfig", "DictConfig"), _content={}, _parent=None)
    b = with_attributes(type(a), _content={"lr": 1}, _parent=a)
    a._content["train"] = b
    return a


class Reduced:
    """What pickles as a call of our choice."""

    def __init__(self, *reduced):
        self.reduced = reduced

    def __reduce__(self):
        return self.reduced


def objects():
    """What training scripts save beside weights, and more."""
    easy = made_up("easydict", "EasyDict", dict)
    yacs = made_up("yacs.config", "CfgNode", dict)
    attribute = made_up("pytorch_lightning.utilities.parsing", "AttributeDict", dict)
    mm = made_up("mmengine.config.config", "ConfigDict", dict)
    script = made_up("my_project.train", "Config")
    numpy_random = np.random.RandomState(0)
    array_buffer = array.array("f", [1, 2])
    generator = torch.Generator()
    sparse = torch.eye(2).to_sparse()
    quantised = torch.quantize_per_tensor(torch.ones(2), 0.1, 0, torch.quint8)
    channels = torch.quantize_per_channel(torch.ones(2, 2), torch.tensor([0.1, 0.2]), torch.tensor([0, 0]), 0, torch.qint8)
    module = torch.nn.Sequential(torch.nn.Linear(1, 1))
    optimizer = torch.optim.AdamW(module.parameters())
    module(torch.ones(1, 1)).sum().backward()
    optimizer.step()
    scheduler = torch.optim.lr_scheduler.MultiStepLR(optimizer, [3, 5])
    one_cycle = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.1, 10)
    parameter = torch.nn.Parameter(torch.ones(2))
    parameter.note = "mine"
    recursive_list = []
    recursive_list.append(recursive_list)
    recursive_tuple = ([],)
    recursive_tuple[0].append(recursive_tuple)
    utc = datetime.timezone.utc
    return {
        "none": None, "true": True, "big integer": 10**30, "negative integer": -(2**63), "long integer": 1 << 3000, "infinite": float("inf"),
        "nan": float("nan"), "complex": 1j, "ellipsis": Ellipsis, "not implemented": NotImplemented, "bytes": b"\x00\xff", "long bytes": bytes(300),
        "bytearray": bytearray(b"abc"), "bytearray of none": bytearray(), "text": "na\u00efve \u20ac \U0001f600", "long text": "x" * 7000,
        "surrogate": "caf\udce9", "surrogates": "\ud83d\ude00", "text of a class": TextOfOwn("a"), "set": {1, 2}, "empty set": set(), "frozenset": frozenset({1}),
        "frozenset as key": {frozenset({1}): 2}, "range": range(3), "slice": slice(1, 2), "counter": collections.Counter([1, 1]),
        "deque": collections.deque([1], 3), "chain map": collections.ChainMap({"a": 1}), "user dict": collections.UserDict(a=1),
        "user list": collections.UserList([1]), "default dict": collections.defaultdict(list, a=[1]), "default dict of a function": collections.defaultdict(function),
        "ordered dict": collections.OrderedDict(a=1), "mapping": Reduced(types.SimpleNamespace, (), {"a": 1}), "namespace": argparse.Namespace(lr=0.1),
        "simple namespace": types.SimpleNamespace(a=1), "named tuple": Point(1, 2), "typed tuple": Typed(), "data class": Arguments(), "frozen data class": Frozen(),
        "slots": Slots(), "named arguments": Keywords(a=1), "inner class": Outer.Inner(), "class": Arguments, "exception": ValueError("x"),
        "enum": Color.RED, "flags": Flag.A | Flag.B, "enum by getattr": Reduced(getattr, (Color, "RED")), "function": function, "method": Reduced(getattr, (Slots, "__init__")),
        "built-in function": len, "partial": functools.partial(function, 1), "partial of a partial": functools.partial(functools.partial(function, 1), 2),
        "item getter": operator.itemgetter(1), "attribute getter": operator.attrgetter("a"), "method caller": operator.methodcaller("a"),
        "datetime": datetime.datetime(2022, 8, 12, tzinfo=utc), "date": datetime.date(2022, 8, 12),
        "time": datetime.time(1, 2), "timedelta": datetime.timedelta(1), "time zone": utc, "zone": zoneinfo.ZoneInfo("UTC"), "decimal": decimal.Decimal("1.5"),
        "fraction": fractions.Fraction(1, 3), "uuid": uuid.UUID(int=1), "path": pathlib.PurePosixPath("/a"), "windows path": pathlib.PureWindowsPath("C:\\a"),
        "own path": pathlib.Path("a"), "regular expression": re.compile("a"), "random state": random.getstate(), "random": random.Random(0), "array": array_buffer,
        "ip address": ipaddress.ip_address("127.0.0.1"), "template": string.Template("a"), "list of a class": ListOfOwn([1]), "dict of a class": DictOfOwn(a=1),
        "easydict": easy(a=1), "yacs": yacs(a=yacs(b=2)), "lightning": attribute(lr=1), "mmengine": mm(a=mm(b=1)), "omegaconf with a parent": cyclic(),
        "class of the script": with_attributes(script, a=1), "list in itself": recursive_list, "tuple in itself": recursive_tuple, "extension": Reduced(script, ()),
        "tuple as key": {(1, "a"): 1}, "none as key": {None: 1}, "float as key": {0.5: 1}, "nan as key": {float("nan"): 1}, "bytes as key": {b"a": 1}, "bool as key": {True: 1},
        "big key": {1 << 70: 1}, "complex as key": {1j: 1}, "dtype as key": {torch.float32: 1}, "enum as key": {Color.RED: 1}, "class as key": {Arguments: 1},
        "numpy scalar as key": {np.int64(1): 1}, "tensor as key": {torch.ones(1): 1}, "key of a surrogate": {"\udce9": 1}, "empty key": {"": 1}, "key with a line break": {"a\nb": 1},
        "numpy float": np.float64(1), "numpy bool": np.bool_(True), "numpy text": np.str_("a"), "numpy time": np.datetime64("2022-08-12"), "numpy complex": np.complex64(1),
        "numpy array": np.arange(3), "numpy in columns": np.asfortranarray(np.ones((2, 2))), "numpy of objects": np.array([None, {}], dtype=object),
        "numpy records": np.zeros(2, dtype=[("a", "f4"), ("b", "i8")]), "numpy masked": np.ma.array([1, 2], mask=[0, 1]), "numpy dtype": np.dtype("float32"),
        "numpy dtype of time": np.dtype("M8[s]"), "numpy random state": np.random.get_state(), "numpy random": numpy_random, "numpy generator": np.random.default_rng(0),
        "numpy memory": np.ones(2).data.obj, "size": torch.Size([1, 2]), "device": torch.device("cpu"), "dtype": torch.float16, "complex dtype": torch.complex64,
        "layout": torch.strided, "memory format": torch.channels_last, "generator state": generator.get_state(), "finfo": str(torch.finfo(torch.float32)),
        "tensor": torch.ones(3), "scalar tensor": torch.tensor(1.0), "empty tensor": torch.zeros(0, 3), "bool tensor": torch.tensor([True]), "complex tensor": torch.ones(2, dtype=torch.complex64),
        "complex double": torch.ones(2, dtype=torch.complex128), "conjugate": torch.ones(2, dtype=torch.complex64).conj(), "imaginary part": torch.ones(2, dtype=torch.complex64).conj().imag,
        "sparse": sparse, "sparse rows": torch.eye(2).to_sparse_csr(), "quantised": quantised, "quantised channels": channels, "meta": torch.empty(2, device="meta"),
        "tensor of a class": torch.ones(2).as_subclass(Tensor), "parameter": torch.nn.Parameter(torch.ones(2)), "parameter with a note": parameter,
        "list of parameters": torch.nn.ParameterList([torch.nn.Parameter(torch.ones(1))]), "tensor with hooks": torch.ones(2, requires_grad=True),
        "storage": torch.ones(2).storage(), "list of tensors": [torch.ones(1), torch.ones(2)], "tuple of tensors": (torch.ones(1),), "module": module,
        "optimizer": optimizer.state_dict(), "whole optimizer": optimizer, "scheduler": scheduler.state_dict(), "whole scheduler": scheduler, "one cycle": one_cycle.state_dict(),
        "scaler": {"scale": 65536.0, "_growth_tracker": 0}, "moments by name": {"exp_avg": {"a.b": torch.ones(1)}}, "logger": logging.getLogger("a"),
        "history": [{"epoch": i, "loss": 0.1} for i in range(100)], "param shapes": [{("a", 1): torch.Size([1])}],
    }


def by_hand():
    """Layouts of newer versions of PyTorch, and operations that Python's pickler does not write, as values of a pickle of protocol 2."""
    def text(s):
        return b"X" + len(s.encode()).to_bytes(4, "little") + s.encode()

    def storage(kind, key, n):
        return b"(" + text("storage") + kind + text(key) + text("cpu") + b"K" + bytes([n]) + b"tQ"

    untyped = b"ctorch.storage\nUntypedStorage\n"

    def v3(dtype, n, size):
        return (b"ctorch._utils\n_rebuild_tensor_v3\n(" + storage(untyped, "9", n) + b"K\x00K" + bytes([size]) + b"\x85K\x01\x85\x89ccollections\nOrderedDict\n)R"
                + b"ctorch\n" + dtype + b"\ntR")

    return {
        "float8": v3(b"float8_e4m3fn", 8, 8), "float8 of another kind": v3(b"float8_e5m2fnuz", 8, 8), "uint16": v3(b"uint16", 8, 4), "uint64": v3(b"uint64", 8, 1),
        "type of the future": v3(b"float2_e1m0", 8, 8), "bits": v3(b"bits8", 8, 8),
        "unknown storage": b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage(b"ctorch\nFutureStorage\n", "9", 8) + b"K\x00K\x08\x85K\x01\x85\x89}tR",
        "complex half": b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage(b"ctorch\nComplexHalfStorage\n", "9", 2) + b"K\x00K\x02\x85K\x01\x85\x89}tR",
        "nested": b"ctorch._utils\n_rebuild_nested_tensor\n)R", "wrapper": b"ctorch._utils\n_rebuild_wrapper_subclass\n)R", "numpy tensor": b"ctorch._utils\n_rebuild_device_tensor_from_numpy\n)R",
        "sparse of the future": b"ctorch._utils\n_rebuild_sparse_tensor\n(ctorch.serialization\n_get_layout\n" + text("torch.sparse_bsr") + b"\x85R)tR",
        "numpy 2": b"cnumpy._core.multiarray\nscalar\n(cnumpy\ndtype\n" + text("f8") + b"\x89\x88\x87R(K\x03" + text("<") + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tbC\x08" + bytes(8) + b"tR",
        "python 2 text": b"U\x04caf\xe9", "python 2 long text": b"T\x04\x00\x00\x00caf\xe9", "old instance": b"(K\x01imodule\nOld\n}b", "old object": b"(cmodule\nOld\nK\x01o}b",
        "extension 1": b"\x82\x07)R", "extension 2": b"\x83\x07\x01)R", "extension 4": b"\x84\x07\x01\x00\x00)R", "long 4": b"\x8b\x0a\x00\x00\x00" + b"\x01" * 10,
        "buffer": b"\x97\x98", "frozen set": b"(K\x01\x91", "text of protocol 0": b"Va\\u20ac\xe9\n", "byte string of protocol 0": b"S'a\\'\\xff'\n",
        "numbers of protocol 0": b"(I1\nI01\nL5L\nF1.5\nFnan\nt", "dict of protocol 1": b"(K\x01K\x02d", "list of protocol 1": b"(K\x01K\x02l", "named": b"cmodule\nNew\n)}\x92",
        "callee of an object": b"cbuiltins\ngetattr\n)R)R", "attributes of a dict": b"}}b", "attributes of a class": b"cmodule\nNew\n}b",
        "dynamo module": b"ctorch.export\nfoo\n(}tR", "lambda by cloudpickle": b"ccloudpickle.cloudpickle\n_make_function\n(NNtRN\x85R",
    }


def zipped(pickled, storages):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as z:
        for name, data in [("archive/data.pkl", pickled)] + [("archive/data/" + k, v) for k, v in storages] + [("archive/version", b"3\n")]:
            z.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), data)
    return out.getvalue()


def beside_base(value):
    """A file with the weights under model, pickled by PyTorch, and a value under beside, pickled by hand."""
    with zipfile.ZipFile(io.BytesIO(saved({"model": base()}, 2, True))) as z:
        names = z.namelist()
        folder = names[0].split("/")[0]
        pickled = z.read(folder + "/data.pkl")
        storages = [(n.split("/data/")[1], z.read(n)) for n in names if "/data/" in n]
    assert pickled.endswith(b"s.")
    return zipped(pickled[:-1] + b"X\x06\x00\x00\x00beside" + value + b"s.", storages + [("9", bytes(range(8)))])


def saved(value, protocol, new):
    out = io.BytesIO()
    torch.save(value, out, pickle_protocol=protocol, _use_new_zipfile_serialization=new)
    return out.getvalue()


def layouts():
    """The weights in every layout, container and form of tensor."""
    sd = base()
    other = {k: v.clone() for k, v in base().items()}
    files = {}
    for new in (True, False):
        for protocol in range(6):
            files[f"protocol {protocol}, {'zip' if new else 'legacy'}"] = (sd, protocol, new)
            files[f"protocol {protocol} in model, {'zip' if new else 'legacy'}"] = ({"model": sd, "epoch": 3, "optimizer": {"state": {0: {"step": torch.ones(1)}}}}, protocol, new)
    for key in ("state_dict model_state_dict model module state_dict_ema model_ema ema teacher student net network params params_ema weights backbone encoder model_state "
                "target_encoder my_network").split():
        files["under " + key] = ({key: sd, "epoch": 1}, 2, True)
    deep = made_up("ultralytics.ema", "ModelEMA")
    easy = made_up("easydict", "EasyDict", dict)
    part = {k: v for k, v in other.items() if k != "head.half"}
    files.update({
        "state_dict in model": ({"model": {"state_dict": sd}}, 2, True), "in a list": ([sd], 2, True), "in a tuple": ((sd, 3), 2, True), "in a list in a dict": ({"model": [sd]}, 2, True),
        "in a dict of a class": (easy(model=easy(sd)), 2, True), "among attributes": ({"ema": with_attributes(deep, module=sd, decay=0.9)}, 2, True),
        "in a data class": (with_attributes(Arguments, weights=sd), 2, True), "in a named tuple": (Point(sd, 1), 4, True),
        "model before its average": ({"model_ema": part, "model": sd}, 2, True), "teacher before student": ({"student": part, "teacher": sd}, 2, True),
        "beside one tensor": ({"rng_state": torch.ones(1), "model": sd}, 2, True), "beside a small part": ({"loss": {"center.x": torch.ones(1)}, "net_g": sd}, 2, True),
        "beside tensors": ({"rng.a": torch.ones(1), "model": sd}, 2, True), "beside moments": ({"optim": {"exp_avg": {k + ".x": v for k, v in other.items()}}, "my_model": sd}, 2, True),
        "parameters": (collections.OrderedDict((k, torch.nn.Parameter(v, requires_grad=False)) for k, v in sd.items()), 2, True),
        "parameters with notes": (collections.OrderedDict((k, noted(v)) for k, v in sd.items()), 2, True),
        "of a class": (collections.OrderedDict((k, v.as_subclass(Tensor)) for k, v in sd.items()), 2, True),
        "of a class, with attributes": (collections.OrderedDict((k, noted(v.as_subclass(Tensor))) for k, v in sd.items()), 3, False),
        "negative": (collections.OrderedDict((k, negative(v)) for k, v in sd.items()), 2, True),
        "negative, legacy": (collections.OrderedDict((k, negative(v)) for k, v in sd.items()), 2, False),
        "imaginary": (dict(sd, **{"blocks.0.bias": negative(torch.complex(torch.zeros(2), sd["blocks.0.bias"]).imag)}), 2, True),
        "imaginary, as 1.13 saves it": (dict(sd, **{"blocks.0.weight": torch.complex(torch.zeros(2, 3), -sd["blocks.0.weight"]).conj().imag}), 2, True),
        "imaginary, as 1.13 saves it, legacy": (dict(sd, **{"blocks.0.bias": torch.complex(torch.zeros(2), -sd["blocks.0.bias"]).conj().imag}), 4, False),
        "transposed": (collections.OrderedDict((k, v.t().contiguous().t() if v.dim() == 2 else v) for k, v in sd.items()), 2, True),
        "negative and transposed": (collections.OrderedDict((k, negative(v.t().contiguous().t()) if v.dim() == 2 else v) for k, v in sd.items()), 2, True),
        "parts of one storage": (in_one(sd), 2, True), "parts of one storage, legacy": (in_one(sd), 2, False),
        "with metadata": (with_metadata(sd), 2, True), "with extra state": (dict(sd, _extra_state=Color.RED, **{"blocks.0._extra_state": b"x"}), 2, True),
    })
    return files


def negative(v):
    """A tensor whose negative bit is set, as PyTorch 2 saves it; 1.13 loses the bit."""
    v = v.clone() if not v.is_complex() else v
    v.mul_(-1)
    return Reduced(torch._utils._rebuild_tensor_v2, (v.storage(), v.storage_offset(), tuple(v.shape), v.stride(), False, collections.OrderedDict(), {"neg": True}))


def noted(v):
    p = torch.nn.Parameter(v, requires_grad=False)
    p.note = "mine"
    return p


def with_metadata(sd):
    sd = collections.OrderedDict(sd)
    sd._metadata = collections.OrderedDict([("", {"version": 1})])
    return sd


def in_one(sd):
    sd = collections.OrderedDict(sd)
    row = torch.cat([torch.ones(1), sd["blocks.0.weight"].flatten(), sd["blocks.0.bias"]])
    sd["blocks.0.weight"], sd["blocks.0.bias"] = row[1:7].view(2, 3), row[7:]
    return sd


def write(name, files):
    with tarfile.open(name, "w:bz2", format=tarfile.USTAR_FORMAT) as t:
        for key, data in sorted(files):
            entry = tarfile.TarInfo(key)
            entry.size = len(data)
            t.addfile(entry, io.BytesIO(data))


os.chdir(os.path.dirname(os.path.abspath(__file__)))
found = []
for i, (name, value) in enumerate(objects().items()):
    content = {"beside": value, "model": base()} if i % 2 else {"model": base(), "beside": value}
    for protocol, new in ((2 + i % 4, True), (1 + i % 5, False)):
        try:
            found.append((f"{name}, protocol {protocol}, {'zip' if new else 'legacy'}", saved(content, protocol, new)))
        except Exception as e:
            print(f"not written: {name}, protocol {protocol}, new {new}: {e!r}"[:150])
found += [(name + ", by hand", beside_base(value)) for name, value in by_hand().items()]
write("objects.tar.bz2", found)
write("layouts.tar.bz2", [(name, saved(*f)) for name, f in layouts().items()])
net = made_up("my_project.models", "Net", torch.nn.Module)()
net.layer = torch.nn.Linear(2, 2)
write("modules.tar.bz2", [(f"{name} {'zip' if new else 'legacy'}", saved(value, 2, new)) for new in (True, False) for name, value in
                          (("bare", net), ("under model", {"model": net, "epoch": 1}), ("under ema", {"ema": net, "model": None, "optimizer": None}))])
print(len(found), "objects,", len(layouts()), "layouts")
