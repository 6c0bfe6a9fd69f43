"""What an earlier run has left in the folder: when it is gone on from, and when it must not be."""

import pickle
from pathlib import Path

import pytest
from clips import SMALL, moving_square

from latentwatch.baselines.scorer import BaselineSettings
from latentwatch.datasets.folder import clips_in
from latentwatch.errors import LatentwatchError, StoppedError, UsageError
from latentwatch.models.decoupled import Decoupled
from latentwatch.training.baseline import BaselineTraining, learn_baseline
from latentwatch.training.camera import learn_camera
from latentwatch.training.checkpoints import SafeCheckpoints, forget_last, last_checkpoint
from latentwatch.training.module import DecoupledModule
from latentwatch.training.same_run import can_go_on, check_same_run
from latentwatch.training.settings import FORMS, TrainingSettings

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


def no_training(*_, **__):
    pytest.fail("goes on")


@pytest.mark.parametrize(
    ("settings", "architecture", "said"),
    [
        ({"epochs": 4}, {}, "epochs was 2, now 4"),
        ({}, {"base_width": 8}, "base_width was 4, now 8"),
        ({"seed": 1}, {"motion": "conv-lstm"}, "motion was conv3d, now conv-lstm; seed was 0, now 1"),
        (
            FORMS["paper"].model_dump(),
            {},
            "epochs was 2, now 50; phase_one was 1.0, now 0.5; schedule was cycle, now steps; 1 more",
        ),
    ],
)
def test_only_the_same_run_is_resumed(tmp_path, footage, monkeypatch, settings, architecture, said):
    module = DecoupledModule(Decoupled(SMALL), JOINT)
    checkpoint = {}
    module.on_save_checkpoint(checkpoint)
    path = last_checkpoint(tmp_path / "door.lw.run", resume=False)
    SafeCheckpoints().save_checkpoint(checkpoint, path)
    check_same_run(path, SMALL, JOINT)
    assert can_go_on(path.parent.parent, SMALL, JOINT)
    monkeypatch.setattr("latentwatch.training.run.build_store", no_training)
    others = JOINT.model_copy(update=settings), SMALL.model_copy(update=architecture)
    assert not can_go_on(path.parent.parent, others[1], others[0])
    with pytest.raises(UsageError, match="of a run with other settings") as caught:
        learn(footage, tmp_path / "door.lw", *others, resume=True)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
    assert path.is_file()


@pytest.mark.parametrize(
    "content",
    [
        {"epoch": 1, "state_dict": {}, "latentwatch": [1, 0.0, 0, 1.0, False]},  # before settings were kept
        {"settings": {"system": "mnad"}, "training": {}, "epoch": 1},  # a baseline's
    ],
)
def test_what_says_not_of_which_run_it_is_is_not_resumed(tmp_path, footage, content):
    path = last_checkpoint(tmp_path / "door.lw.run", resume=False)
    SafeCheckpoints().save_checkpoint(content, path)
    with pytest.raises(UsageError, match="of another system, or an older version of Latentwatch; to start"):
        learn(footage, tmp_path / "door.lw", resume=True)


@pytest.mark.parametrize(
    "content", [b"this is no checkpoint", b"", pickle.dumps(Path("code"), 2)], ids=["text", "empty", "code"]
)
def test_a_damaged_checkpoint_is_one_line(tmp_path, footage, content):
    path = last_checkpoint(tmp_path / "door.lw.run", resume=False)
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    with pytest.raises(LatentwatchError, match=r"last\.ckpt: no checkpoint, or damaged; to start anew"):
        learn(footage, tmp_path / "door.lw", resume=True)
