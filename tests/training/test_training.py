import errno
import shutil
from functools import partial
from itertools import pairwise

import numpy as np
import pytest
import pytorch_lightning as pl
import torch
from clips import SMALL, moving_square
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from latentwatch.datasets.dataset import Clip
from latentwatch.datasets.folder import clips_in
from latentwatch.errors import LatentwatchError, UsageError
from latentwatch.models.decoupled import Decoupled
from latentwatch.training.checkpoints import SafeCheckpoints
from latentwatch.training.chunks import RunDataset
from latentwatch.training.frames import FrameStore, build_store
from latentwatch.training.lock import only_one_in
from latentwatch.training.module import DecoupledModule, moved
from latentwatch.training.run import train_model
from latentwatch.training.run_data import RunData
from latentwatch.training.settings import FORMS, TrainingSettings
from latentwatch.training.warm_up import fit_motion
from latentwatch.video.frame import Frame
from latentwatch.video.generated import GeneratedSource


def store(*lengths):
    starts = np.cumsum([0, *lengths])
    frames = np.arange(starts[-1], dtype=np.uint8)[:, None, None, None] * np.ones((1, 2, 2, 3), np.uint8)
    return FrameStore(frames, tuple(int(start) for start in starts), 10.0)


def grey_clip(grey, count):
    picture = np.full((32, 48, 3), grey, np.uint8)
    frames = [Frame(index, index / 10, picture) for index in range(count)]
    return Clip("made", partial(GeneratedSource, "made", lambda: iter(frames), fps=10, frame_count=count))


def test_split_holds_out_whole_clips_from_all_over_the_footage():
    train, held_out = store(*[20] * 20, 3).split(12)
    assert held_out == [(100, 120), (300, 320)]
    assert train == [(20 * i, 20 * i + 20) for i in range(20) if i not in (5, 15)]


def test_split_of_few_long_clips_holds_out_blocks_of_them():
    train, held_out = store(1000, 5, 2000).split(12)
    assert held_out == [(270, 330), (870, 930), (1475, 1535), (2075, 2135), (2675, 2735)]
    assert train == [
        *((0, 270), (330, 870), (930, 1000)),
        *((1005, 1475), (1535, 2075), (2135, 2675), (2735, 3005)),
    ]


@given(
    lengths=st.lists(st.integers(1, 400), min_size=1, max_size=30),
    shortest=st.integers(1, 30),
)
def test_split_never_overlaps_and_gives_runs_that_are_long_enough(lengths, shortest):
    footage = FrameStore(np.empty((0,)), tuple(int(n) for n in np.cumsum([0, *lengths])), 10.0)
    if max(lengths) < shortest:
        with pytest.raises(LatentwatchError, match="too short"):
            footage.split(shortest)
        return
    train, held_out = footage.split(shortest)
    assert train
    assert held_out
    assert all(stop - start >= shortest for start, stop in train + held_out)
    if train != held_out:
        uncut = min((n for n in lengths if n >= shortest), default=shortest)
        if len(held_out) > 1:  # of the runs that training's length is taken from
            assert min(stop - start for start, stop in train) >= min(2 * shortest, uncut)
        parts = sorted(train + held_out)
        assert all(a[1] <= b[0] for a, b in pairwise(parts))
        clips = list(pairwise(footage.starts))
        assert all(any(a <= start and stop <= b for a, b in clips) for start, stop in parts)


def test_split_of_few_short_clips_holds_out_one_of_them():
    assert store(24, 24, 24).split(10) == ([(0, 24), (48, 72)], [(24, 48)])


def test_split_of_one_short_clip_takes_its_tail():
    assert store(100).split(12) == ([(0, 88)], [(88, 100)])
    train, held_out = store(20).split(12)  # too short to divide: the same frames serve for both
    assert train == held_out == [(0, 20)]
    with pytest.raises(LatentwatchError, match="needs 21 frames, the longest has 20"):
        store(20).split(21)


def test_background_is_the_mean_of_the_training_frames_alone():
    background = store(3, 100).background([(0, 3)])
    np.testing.assert_allclose(background, np.full((3, 2, 2), 1 / 255), rtol=1e-6)


def test_runs_are_consecutive_stay_inside_clips_and_move_with_the_epoch():
    runs = RunDataset(store(25, 30), [(0, 25), (25, 55)], 10, jitter=True)
    seen = set()
    for epoch in range(20):
        runs.set_epoch(epoch)
        assert len(runs) == 5
        for run in runs:
            values = run[:, 0, 0, 0].numpy().astype(int)
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
    (tmp_path / "a" / "notes.txt").touch()  # no image: the same footage
    build_store(clips, (16, 24), tmp_path / "run", lambda *_: pytest.fail("decoded again"))
    Image.new("RGB", (48, 32), "white").save(tmp_path / "a" / "003.png")  # in place
    assert (build_store(clips, (16, 24), tmp_path / "run").frames[3] == 255).all()
    (tmp_path / "a" / "006.png").symlink_to("nowhere")
    assert len(build_store(clips, (16, 24), tmp_path / "run").frames) == 6


def test_store_that_was_stopped_halfway_is_of_no_footage(tmp_path):
    def stop(*_):
        raise KeyboardInterrupt

    first = clips_in(moving_square(tmp_path / "a", frames=5))
    made = np.array(build_store(first, (32, 48), tmp_path / "run").frames)
    with pytest.raises(KeyboardInterrupt):
        build_store([grey_clip(200, 6)], (32, 48), tmp_path / "run", stop)
    np.testing.assert_array_equal(build_store(first, (32, 48), tmp_path / "run").frames, made)


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
    _, codes = module._reconstruct(torch.randint(0, 255, (2, 14, 32, 48, 3), dtype=torch.uint8))
    module._predict(codes)[0].backward()
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


def test_a_folder_is_for_one_training_at_a_time(tmp_path):
    with (
        only_one_in(tmp_path / "run"),
        pytest.raises(UsageError, match="another training is at work there"),
        only_one_in(tmp_path / "run"),
    ):
        pass
    with only_one_in(tmp_path / "run"):
        pass


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


@pytest.mark.parametrize(("down", "right"), [(0, 0), (2, 0), (-2, 1), (1, -3)])
def test_moved_pictures_keep_what_stays_in_view_and_show_background_elsewhere(down, right):
    frames = torch.arange(1.0, 61).view(1, 2, 5, 6)
    result = moved(frames, down, right)
    for row in range(5):
        for column in range(6):
            source = row - down, column - right
            inside = 0 <= source[0] < 5 and 0 <= source[1] < 6
            expected = frames[:, :, source[0], source[1]] if inside else torch.zeros(1, 2)
            assert torch.equal(result[:, :, row, column], expected)
    assert frames.min() == 1  # the input is left as it was


def test_losses_of_a_batch_are_those_of_its_runs_and_mix_no_frames_of_two():
    torch.manual_seed(0)
    module = DecoupledModule(Decoupled(SMALL), TrainingSettings()).eval()
    rgb = torch.randint(0, 255, (3, 14, 32, 48, 3), dtype=torch.uint8)
    together, codes = module._reconstruct(rgb)
    apart = [module._reconstruct(run[None]) for run in rgb]
    torch.testing.assert_close(together, torch.stack([loss for loss, _ in apart]).mean())
    predictions = torch.stack([module._predict(each)[0] for _, each in apart])
    torch.testing.assert_close(module._predict(codes)[0], predictions.mean())


def test_learning_rate_of_the_paper_falls_tenfold_every_20_of_50_epochs():
    rates = [FORMS["paper"].rate(1 if done < 25 else 2, done) for done in (0, 19.99, 20, 39.99, 40, 49)]
    np.testing.assert_allclose(rates, [1e-4, 1e-4, 1e-5, 1e-5, 1e-6, 1e-6])


def test_learning_rate_of_the_fast_form_goes_through_one_cycle_in_each_phase():
    settings = TrainingSettings(epochs=20, phase_one=0.5)
    assert settings.epochs_one() == 10
    np.testing.assert_allclose(
        [settings.rate(1, done) for done in (0, 1, 5.5, 10)], [8e-5, 2e-3, 1e-3, 0], atol=1e-12
    )
    two = settings.learning_rate_two
    np.testing.assert_allclose(
        [settings.rate(2, done) for done in (10, 15, 20)], [two, two / 2, 0], atol=1e-12
    )


def test_the_trainer_follows_the_rate_and_the_second_phase_starts_adam_anew(tmp_path):
    made = build_store(clips_in(moving_square(tmp_path / "a", frames=80)), SMALL.size, tmp_path / "run")
    settings = TrainingSettings(epochs=4, phase_one=0.5, latent_gradient="full")
    module, seen = DecoupledModule(Decoupled(SMALL), settings), []

    class Watch(pl.Callback):
        def on_before_optimizer_step(self, trainer, _module, optimizer):
            steps = [int(each["step"]) for each in optimizer.state.values()]
            seen.append((trainer.current_epoch, optimizer.param_groups[0]["lr"], max(steps, default=0)))

    trainer = pl.Trainer(
        max_epochs=4,
        callbacks=[Watch()],
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        accelerator="cpu",
        num_sanity_val_steps=0,
    )
    trainer.fit(module, RunData(made, SMALL.span, settings))
    first = {epoch: next(each for each in seen if each[0] == epoch) for epoch in range(4)}
    np.testing.assert_allclose(first[0][1], settings.rate(1, 0))
    np.testing.assert_allclose(first[2][1], settings.rate(2, 2))
    assert first[1][2] > 0
    assert first[2][2] == 0


def test_fast_form_keeps_batch_norm_statistics_in_phase_two(tmp_path):
    trained = train_model(
        clips_in(moving_square(tmp_path / "a", frames=60)),
        SMALL,
        TrainingSettings(epochs=4, phase_one=0.5, warm_up_passes=1),
        tmp_path / "run",
        say=lambda _: None,
    )
    checkpoint = torch.load(tmp_path / "run" / "checkpoints" / "last.ckpt", weights_only=True)
    counts = {
        name: int(value)
        for name, value in checkpoint["state_dict"].items()
        if name.endswith("num_batches_tracked")
    }
    appearance = {value for name, value in counts.items() if "motion" not in name}
    assert len(appearance) == 1
    assert trained.minutes > 0
    # Two epochs of phase one with 48 frames in runs of 4, four runs a batch: 3 batches each.
    assert appearance == {2 * 3}


def test_no_clip_at_all_is_told(tmp_path):
    with pytest.raises(UsageError, match="no clip to learn from: the footage is empty"):
        build_store([], (32, 48), tmp_path / "run")
    assert not (tmp_path / "run").exists()
