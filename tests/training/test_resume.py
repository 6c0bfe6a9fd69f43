"""What an earlier run has left in the folder: when it is gone on from, and when it must not be."""

import pytest
from clips import SMALL, moving_square

from latentwatch.baselines.scorer import BaselineSettings
from latentwatch.datasets.folder import clips_in
from latentwatch.errors import LatentwatchError, StoppedError, UsageError
from latentwatch.training.baseline import BaselineTraining, learn_baseline
from latentwatch.training.camera import learn_camera
from latentwatch.training.checkpoints import forget_last, last_checkpoint
from latentwatch.training.settings import TrainingSettings

JOINT = TrainingSettings(epochs=2, phase_one=1, latent_gradient="full", shift=0, fuse_speed=False)


@pytest.fixture(scope="module")
def footage(tmp_path_factory):
    return clips_in(moving_square(tmp_path_factory.mktemp("footage") / "a", frames=60))


def learn(footage, out, settings=JOINT, architecture=SMALL, *, resume=False, say=lambda _: None):
    return learn_camera(footage, out, architecture, settings, bf16=False, resume=resume, say=say)


def learn_mnad(footage, out, *, resume=False, say=lambda _: None):
    settings = BaselineSettings(system="mnad", height=32, width_px=64, share=0.125)
    training = BaselineTraining(epochs=1)
    return learn_baseline(footage, out, settings, training, bf16=False, resume=resume, say=say)


def press(*_, **__):
    raise KeyboardInterrupt


@pytest.mark.parametrize("system", ["decoupled", "mnad"])
def test_a_new_run_that_is_stopped_is_not_resumed_with_an_old_ones_checkpoint(
    tmp_path, footage, monkeypatch, system
):
    out = tmp_path / "door.lw"
    train, module = (learn, "run") if system == "decoupled" else (learn_mnad, "baseline")
    train(footage, out)
    checkpoint = last_checkpoint(tmp_path / "door.lw.run", resume=True)
    monkeypatch.setattr(f"latentwatch.training.{module}.build_store", press)
    with pytest.raises(StoppedError) as caught:
        train(footage, out)
    assert "--resume" not in str(caught.value)
    assert not checkpoint.exists()
    with pytest.raises(UsageError, match="nothing to resume"):
        train(footage, out, resume=True)


def test_a_run_that_is_stopped_after_an_epoch_says_how_to_go_on(tmp_path, footage, monkeypatch):
    monkeypatch.setattr("latentwatch.training.camera.score_clip", press)
    with pytest.raises(StoppedError, match="go on with --resume"):
        learn(footage, tmp_path / "door.lw")
    monkeypatch.undo()
    lines = []
    learn(footage, tmp_path / "door.lw", resume=True, say=lines.append)
    assert lines == ["calibrating on held-out footage"]


def test_a_checkpoint_that_cannot_be_removed_is_one_line(tmp_path):
    last_checkpoint(tmp_path, resume=False).mkdir(parents=True)
    with pytest.raises(LatentwatchError, match=r"last\.ckpt: an earlier training's, and cannot be removed"):
        forget_last(tmp_path)
