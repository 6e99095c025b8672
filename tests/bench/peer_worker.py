"""One job trained by PyTorch and transformers, for tests/bench/peer: reads commands from standard input, answers in
JSON lines.

    PYTHON peer_worker.py SETTINGS.json RANK

In the mode "make" it writes a folder of random weights and ends, in the mode "choose" it says what is fastest here and
ends. Otherwise it says when it is ready; then "FIRST COUNT" trains the steps FIRST .. FIRST + COUNT - 1 of the order
and answers with seconds and tokens; the end of the input with the highest resident set. What a step has: batch padded
to its longest example, forward, backward, clipping, AdamW; for SDA before these a forward without gradient of a copy
that holds the mean of the last five parameters, which is kept up by three foreach passes."""

import functools
import json
import os
import resource
import sys
import time
import warnings

settings = json.load(open(sys.argv[1], encoding="utf-8"))
rank = int(sys.argv[2])
os.sched_setaffinity(0, settings["cores"][rank])
os.environ["OMP_NUM_THREADS"] = str(settings["threads"])

import torch  # noqa: E402 (the environment comes first)
import torch.distributed as dist  # noqa: E402
import transformers  # noqa: E402
from transformers import AutoConfig, AutoModelForMaskedLM, AutoModelForSequenceClassification  # noqa: E402

warnings.filterwarnings("ignore")
transformers.logging.set_verbosity_error()
torch.set_num_threads(settings["threads"])
WINDOW, RANKS, MASK = 5, settings["ranks"], settings.get("mask")


def logits_of(model, ids, mask, hidden):
    """In float32, whatever the products of the forward are. hidden: where tokens are hidden; None: of texts."""
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=settings.get("precision") == "bfloat16"):
        if hidden is None:
            return model(input_ids=ids, attention_mask=mask).logits.float()
        if settings["head"] == "all" or RANKS > 1:
            return model(input_ids=ids, attention_mask=mask).logits[hidden].float()
        states = model.base_model(input_ids=ids, attention_mask=mask).last_hidden_state
        return (model.cls if hasattr(model, "cls") else model.lm_head)(states[hidden]).float()


def hide(ids, mask):
    """15 % of the tokens but the first and the last of a text, 80 % of them as [MASK], 10 % as any other; the ids that
    the model sees, where they are hidden, what they were."""
    inner = mask.bool() & (ids != ids[0, 0]) & (ids != ids[0, mask[0].sum() - 1])
    hidden, kind = (torch.rand(ids.shape) < 0.15) & inner, torch.rand(ids.shape)
    seen = torch.where(hidden & (kind < 0.8), MASK, ids)
    other = torch.randint(MASK + 1, read_config().vocab_size, ids.shape)
    return torch.where(hidden & (kind >= 0.8) & (kind < 0.9), other, seen), hidden, ids[hidden]


def prepare_batch(examples):
    """Ids, attention mask, where tokens are hidden or None, labels."""
    ids, mask, labels = collate(examples)
    if MASK is None:
        return ids, mask, None, labels
    seen, hidden, labels = hide(ids, mask)
    return seen, mask, hidden, labels


def read_steps():
    """For each step the examples of this rank: (class, ids) each."""
    with open(settings["tokens"], encoding="utf-8") as lines:
        examples = [[int(number) for number in line.split()] for line in lines]
    with open(settings["order"], encoding="utf-8") as lines:
        return [[examples[int(i)] for i in line.split()][rank::RANKS] for line in lines]


def collate(examples):
    """Padded on the side and with the token of the model: some count positions by it."""
    config = read_config()
    ids = [torch.tensor(e[1:]) for e in examples]
    side = {"batch_first": True, "padding_side": "left" if config.model_type == "xlnet" else "right"}
    padded = torch.nn.utils.rnn.pad_sequence(ids, padding_value=config.pad_token_id, **side)
    mask = torch.nn.utils.rnn.pad_sequence([torch.ones_like(e) for e in ids], **side)
    return padded, mask, torch.tensor([e[0] for e in examples])


def config_of(kind):
    """transformers' configuration of a model_type, in the shape that is asked for."""
    s = settings["shape"]
    config = AutoConfig.for_model(kind, num_labels=settings["classes"])
    sizes = {"vocab_size": s["V"], "hidden_size": s["H"], "embedding_size": s["H"], "num_hidden_layers": s["L"],
             "num_attention_heads": s["A"], **dict.fromkeys(("intermediate_size", "hidden_dim", "d_inner"), s["F"])}
    for name, value in sizes.items():
        if hasattr(config, name):
            setattr(config, name, value)
    if kind == "xlnet":
        config.d_head = s["H"] // s["A"]
    return config


@functools.cache
def read_config():
    return AutoConfig.from_pretrained(settings["model"]) if settings["model"] else config_of("bert")


def make_model(attention):
    torch.manual_seed(0)
    options = {"attn_implementation": attention}
    kind = AutoModelForSequenceClassification if MASK is None else AutoModelForMaskedLM
    if settings["model"]:
        classes = {"num_labels": settings["classes"]} if MASK is None else {}
        return kind.from_pretrained(settings["model"], **classes, **options).train()
    return kind.from_config(read_config(), **options).train()


def attentions():
    """The kinds that the model has."""
    for attention in ("eager", "sdpa"):
        try:
            make_model(attention)
            yield attention
        except ValueError:
            pass


def make_optimizer(model, kind):
    plain = [p for n, p in model.named_parameters() if n.endswith("bias") or "LayerNorm" in n]
    decayed = [p for n, p in model.named_parameters() if not (n.endswith("bias") or "LayerNorm" in n)]
    return torch.optim.AdamW([{"params": decayed, "weight_decay": 0.01}, {"params": plain, "weight_decay": 0.0}],
                             lr=2e-5, **kind)


class Teacher:
    """The mean of the last five parameters: mean += (new - oldest) / 5."""

    def __init__(self, model):
        self.model = make_model(settings["attention"]).eval()
        self.mean, self.new = list(self.model.parameters()), list(model.parameters())
        with torch.no_grad():
            torch._foreach_copy_(self.mean, self.new)
            self.ring = [[p.detach().clone() for p in self.new] for _ in range(WINDOW)]
        self.oldest = 0

    @torch.no_grad()
    def logits(self, *batch):
        return logits_of(self.model, *batch)

    @torch.no_grad()
    def update(self):
        oldest = self.ring[self.oldest]
        difference = torch._foreach_sub(self.new, oldest)
        torch._foreach_add_(self.mean, difference, alpha=1.0 / WINDOW)
        torch._foreach_copy_(oldest, self.new)
        self.oldest = (self.oldest + 1) % WINDOW


def train_step(model, parameters, optimizer, teacher, examples):
    *batch, labels = prepare_batch(examples)
    optimizer.zero_grad(set_to_none=True)
    target = teacher.logits(*batch) if teacher else None
    logits = logits_of(model, *batch)
    loss = torch.nn.functional.cross_entropy(logits, labels)
    if teacher:
        loss = loss + torch.nn.functional.mse_loss(logits, target)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(parameters, 1.0, foreach=settings["clip"] == "foreach")
    optimizer.step()
    if teacher:
        teacher.update()


def seconds_of(call, repetitions):
    call()
    times = []
    for _ in range(repetitions):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return min(times)


ADAMW = {"foreach": {"foreach": True}, "fused": {"fused": True}, "loop": {"foreach": False, "fused": False}}


def choose():
    """What is fastest here, in a process of its own: attention for training on a few examples, the rows that a
    vocabulary's head reads, AdamW's loop, clipping's loop."""
    *batch, labels = prepare_batch(read_steps()[0][: settings["few"]])
    times = {"attention": {}, "adamw": {}, "clip": {}}
    settings["head"] = "all"

    def both():
        torch.nn.functional.cross_entropy(logits_of(model, *batch), labels).backward()

    for attention in attentions():
        model = make_model(attention)
        times["attention"][attention] = seconds_of(both, 2)
    if MASK is not None:
        times["head"] = {}
        for settings["head"] in ("all", "hidden"):
            times["head"][settings["head"]] = seconds_of(both, 2)
    for name, kind in ADAMW.items():
        optimizer = make_optimizer(model, kind)
        times["adamw"][name] = seconds_of(optimizer.step, 3)
    for name, foreach in (("foreach", True), ("loop", False)):
        times["clip"][name] = seconds_of(lambda: torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0,
                                                                                foreach=foreach), 3)
    return {what: min(found, key=found.get) for what, found in times.items()}, times


def prepare():
    model = make_model(settings["attention"])
    optimizer = make_optimizer(model, ADAMW[settings["adamw"]])
    teacher = Teacher(model) if settings["mode"] == "sda" else None
    parameters = list(model.parameters())
    if RANKS > 1:
        dist.init_process_group("gloo", init_method=f"tcp://127.0.0.1:{settings['port']}", rank=rank, world_size=RANKS)
        model = torch.nn.parallel.DistributedDataParallel(model, gradient_as_bucket_view=True)
    return model, parameters, optimizer, teacher


def say(**answer):
    print(json.dumps(answer), flush=True)


def main():
    if settings["mode"] == "make":
        torch.manual_seed(0)
        AutoModelForSequenceClassification.from_config(config_of(settings["type"])).save_pretrained(settings["model"])
        return
    versions = {"torch": torch.__version__, "transformers": transformers.__version__, "python": sys.version.split()[0],
                "threads": torch.get_num_threads(), "kernels": torch.backends.cpu.get_cpu_capability()}
    if settings["mode"] == "choose":
        chosen, times = choose()
        say(chosen=chosen, milliseconds={what: {name: 1e3 * t for name, t in found.items()}
                                         for what, found in times.items()}, **versions)
        return
    steps = read_steps()
    work = prepare()
    train_step(*work, steps[0][: settings["few"]])
    say(**versions)
    for line in sys.stdin:
        first, count = (int(word) for word in line.split())
        start = time.perf_counter()
        for examples in steps[first : first + count]:
            train_step(*work, examples)
        say(seconds=time.perf_counter() - start,
            tokens=sum(len(e) - 1 for s in steps[first : first + count] for e in s))
    say(peak=1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    if RANKS > 1:
        dist.destroy_process_group()


main()
