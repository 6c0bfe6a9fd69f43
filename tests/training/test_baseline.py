"""Training of a baseline: progress, Ctrl-C, resume, what it refuses."""

import pytest
import torch
from clips import moving_square

from latentwatch.baselines.registry import SYSTEMS
from latentwatch.baselines.scorer import BaselineSettings
from latentwatch.datasets.folder import clips_in
from latentwatch.errors import LatentwatchError, StoppedError, UsageError
from latentwatch.scoring.baseline import load_baseline
from latentwatch.training.baseline import BaselineTraining, learn_baseline
from latentwatch.training.checkpoints import SafeCheckpoints
from latentwatch.training.lock import only_one_in


def settings(system, **changes):
    return BaselineSettings(system=system, height=32, width_px=64, share=0.125, **changes)


@pytest.fixture(scope="module")
def footage(tmp_path_factory):
    folder = tmp_path_factory.mktemp("footage")
    for name in "abc":
        moving_square(folder / name, frames=24)
    return clips_in(folder)


@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize("bf16", [False, True])
def test_an_epoch_of_each(tmp_path, footage, system, bf16):
    lines = []
    out = tmp_path / "x.lw"
    info = learn_baseline(
        footage, out, settings(system), BaselineTraining(epochs=1), bf16=bf16, say=lines.append
    )
    model, loaded = load_baseline(out)
    assert loaded == info
    assert loaded.frames == 24 - model.clip_length + 1  # one clip of three is held out
    assert lines[:3] == [f"decoded {name}: 24 frames" for name in "abc"]
    assert lines[3].startswith("epoch 1/1  loss ")
    assert "about 0 min left" in lines[3]
    assert model.term_deviation.min() > 0


def stop_after(epochs):
    """A `say` that presses Ctrl-C after so many epochs."""
    lines = []

    def say(line):
        lines.append(line)
        if line.startswith(f"epoch {epochs}/"):
            raise KeyboardInterrupt

    return say


@pytest.mark.parametrize("system", ["future-frame", "mnad"])
def test_a_resumed_run_is_the_same_as_one_that_never_stopped(tmp_path, footage, system):
    training = BaselineTraining(epochs=3, seed=4)
    whole, halves = tmp_path / "whole.lw", tmp_path / "halves.lw"
    learn_baseline(footage, whole, settings(system), training, bf16=False, say=lambda _: None)
    with pytest.raises(StoppedError, match="go on with --resume"):
        learn_baseline(footage, halves, settings(system), training, bf16=False, say=stop_after(1))
    assert not halves.exists()
    lines = []
    learn_baseline(footage, halves, settings(system), training, bf16=False, resume=True, say=lines.append)
    assert [line[:9] for line in lines] == ["epoch 2/3", "epoch 3/3", "calibrati"]
    one, two = (load_baseline(path)[0].state_dict() for path in (whole, halves))
    for name, tensor in one.items():
        assert torch.allclose(tensor, two[name], rtol=1e-4, atol=1e-5), name


def test_resume_refuses_what_is_not_its_own(tmp_path, footage):
    out = tmp_path / "x.lw"

    def learn(system, epochs=1):
        learn_baseline(
            footage,
            out,
            settings(system),
            BaselineTraining(epochs=epochs),
            bf16=False,
            resume=True,
            say=print,
        )

    with pytest.raises(UsageError, match="nothing to resume"):
        learn("mnad")
    learn_baseline(footage, out, settings("mnad"), BaselineTraining(epochs=1), bf16=False, say=print)
    with pytest.raises(UsageError, match="of a run with other settings"):
        learn("conv-ae")
    with pytest.raises(UsageError, match="of a run with other settings"):
        learn("mnad", epochs=2)
    (tmp_path / "x.lw.run" / "checkpoints" / "last.ckpt").write_bytes(b"this is no checkpoint")
    with pytest.raises(LatentwatchError, match="no checkpoint of a baseline, or damaged"):
        learn("mnad")


def test_training_says_what_is_wrong(tmp_path, footage, monkeypatch):
    out = tmp_path / "x.lw"
    short = clips_in(moving_square(tmp_path / "short", frames=15))
    with pytest.raises(LatentwatchError, match="a clip needs 16 frames, the longest has 15"):
        learn_baseline(short, out, settings("mem-ae"), BaselineTraining(epochs=1), bf16=False, say=print)
    wild = BaselineTraining(epochs=1, learning_rate=1e30)
    with pytest.raises(LatentwatchError, match="the loss is no longer a number"):
        learn_baseline(footage, out, settings("mnad"), wild, bf16=False, say=print)

    def full_in(epoch):
        def save(self, checkpoint, path):
            if checkpoint["epoch"] == epoch:
                raise OSError(28, "No space left on device")
            save_checkpoint(self, checkpoint, path)

        return save

    save_checkpoint = SafeCheckpoints.save_checkpoint
    for epoch, again in ((1, "start anew"), (2, "use --resume")):
        monkeypatch.setattr(SafeCheckpoints, "save_checkpoint", full_in(epoch))
        says = f"x.lw.run: cannot write .* free some space, then {again}"
        with pytest.raises(LatentwatchError, match=says):
            learn_baseline(footage, out, settings("mnad"), BaselineTraining(epochs=2), bf16=False, say=print)


def test_one_training_in_a_folder_at_a_time(tmp_path, footage):
    with only_one_in(tmp_path / "x.lw.run"), pytest.raises(UsageError, match="another training is at work"):
        learn_baseline(
            footage, tmp_path / "x.lw", settings("mnad"), BaselineTraining(epochs=1), bf16=False, say=print
        )
