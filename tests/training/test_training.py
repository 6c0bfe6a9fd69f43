import errno
import shutil

import numpy as np
import pytest
import torch
from clips import SMALL, moving_square

from latentwatch.datasets.folder import clips_in
from latentwatch.errors import LatentwatchError
from latentwatch.models.decoupled import Decoupled
from latentwatch.training.checkpoints import SafeCheckpoints
from latentwatch.training.chunks import ChunkDataset
from latentwatch.training.frames import FrameStore, build_store
from latentwatch.training.module import DecoupledModule, TrainingSettings
from latentwatch.training.warm_up import fit_motion


def store(*lengths):
    starts = np.cumsum([0, *lengths])
    frames = np.arange(starts[-1], dtype=np.uint8)[:, None, None, None] * np.ones((1, 2, 2, 3), np.uint8)
    return FrameStore(frames, tuple(int(start) for start in starts), 10.0)


def test_split_holds_out_whole_clips_from_the_end():
    train, held_out = store(20, 20, 20, 3).split(12, share=0.3)
    assert train == [(0, 20), (20, 40)]
    assert held_out == [(40, 60)]


def test_split_of_one_clip_takes_its_tail_and_never_overlaps():
    assert store(100).split(12) == ([(0, 88)], [(88, 100)])
    train, held_out = store(20).split(12)  # too short to divide: the same frames serve for both
    assert train == held_out == [(0, 20)]
    with pytest.raises(LatentwatchError, match="needs 21 frames, the longest has 20"):
        store(20).split(21)


def test_background_is_the_mean_of_the_training_frames_alone():
    background = store(3, 100).background([(0, 3)])
    np.testing.assert_allclose(background, np.full((3, 2, 2), 1 / 255), rtol=1e-6)


def test_chunks_are_consecutive_stay_inside_clips_and_move_with_the_epoch():
    chunks = ChunkDataset(store(25, 30), [(0, 25), (25, 55)], 10, jitter=True)
    seen = set()
    for epoch in range(20):
        chunks.set_epoch(epoch)
        assert len(chunks) == 5
        for chunk in chunks:
            values = chunk[:, 0, 0, 0].numpy().astype(int)
            assert (np.diff(values) == 1).all()
            assert values[-1] < 25 or values[0] >= 25
            seen.add(int(values[0]))
    assert len(seen) > 5


def test_store_is_decoded_once_and_anew_when_the_footage_changes(tmp_path):
    clips = clips_in(moving_square(tmp_path / "a", frames=5))
    told = []
    for _ in range(2):
        made = build_store(clips, (32, 48), tmp_path / "run", lambda *each: told.append(each))
    assert told == [("a", 5)]
    assert made.frames.shape == (5, 32, 48, 3)
    assert build_store(clips, (16, 24), tmp_path / "run").frames.shape == (5, 16, 24, 3)
    shutil.copy(tmp_path / "a" / "004.png", tmp_path / "a" / "005.png")
    assert build_store(clips, (16, 24), tmp_path / "run").frames.shape == (6, 16, 24, 3)


@pytest.mark.parametrize(
    ("gradient", "phase", "encoder", "motion"),
    [
        ("stop", 1, False, True),
        ("stop", 2, False, True),
        ("full", 1, True, True),
        ("full", 2, True, True),
        ("late", 2, True, True),
    ],
)
def test_whom_the_prediction_loss_reaches(gradient, phase, encoder, motion):
    torch.manual_seed(0)
    module = DecoupledModule(Decoupled(SMALL), TrainingSettings(latent_gradient=gradient))
    module.phase = phase
    _, codes = module._reconstruct(torch.randint(0, 255, (16, 32, 48, 3), dtype=torch.uint8))
    module._predict(codes).backward()
    for part, reaches in ((module.model.encoder, encoder), (module.model.motion, motion)):
        first = next(part.parameters())
        assert (first.grad is not None and bool(first.grad.abs().sum() > 0)) is reaches


def test_late_trains_the_autoencoder_alone_first(monkeypatch):
    module = DecoupledModule(Decoupled(SMALL), TrainingSettings())
    monkeypatch.setattr(module, "log_dict", lambda *_, **__: None)
    module.training_step(torch.randint(0, 255, (1, 4, 32, 48, 3), dtype=torch.uint8), 0).backward()
    assert all(weight.grad is None for weight in module.model.motion.parameters())
    assert all(weight.grad is not None for weight in module.model.appearance_parameters())


def test_warm_up_teaches_the_motion_model_and_nothing_else(tmp_path):
    torch.manual_seed(0)
    made = build_store(clips_in(moving_square(tmp_path / "a", frames=60)), SMALL.size, tmp_path / "run")
    model = Decoupled(SMALL)
    model.background.copy_(torch.from_numpy(made.background([(0, 60)])))
    before = {name: value.clone() for name, value in model.state_dict().items()}
    told = []
    fit_motion(
        model,
        made,
        [(0, 30), (30, 60)],
        tmp_path / "codes.bin",
        passes=20,
        gamma=1e-3,
        seed=0,
        say=told.append,
    )
    errors = [float(line.rsplit(maxsplit=1)[1]) for line in told]
    assert len(errors) == 20
    assert errors[-1] < 0.5 * errors[0]
    changed = {name for name, value in model.state_dict().items() if not torch.equal(value, before[name])}
    assert changed
    assert all(name.startswith("motion.") for name in changed)


def test_full_disk_leaves_the_old_checkpoint_whole(tmp_path, monkeypatch):
    path = tmp_path / "last.ckpt"
    SafeCheckpoints().save_checkpoint({"epoch": 1}, path)

    def disk_full(_, part):
        part.write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(torch, "save", disk_full)
    with pytest.raises(OSError, match="No space"):
        SafeCheckpoints().save_checkpoint({"epoch": 2}, path)
    assert torch.load(path, weights_only=True) == {"epoch": 1}
    assert [each.name for each in tmp_path.iterdir()] == ["last.ckpt"]


def test_learning_rate_falls_tenfold_every_20_of_50_epochs():
    module = DecoupledModule(Decoupled(SMALL), TrainingSettings(learning_rate=1e-4))
    (optimizer,), (scheduler,) = module.configure_optimizers()
    rates = []
    for _ in range(50):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    np.testing.assert_allclose([rates[19], rates[20], rates[39], rates[40]], [1e-4, 1e-5, 1e-5, 1e-6])
