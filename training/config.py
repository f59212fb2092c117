"""Everything that decides the outcome of a run, as a TOML file: ``training/configs/*.toml``."""

import tomllib
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from training.data import SIZE, DataError

CONFIGS = Path(__file__).parent / "configs"


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Phase(Strict):
    """A part of the run; the learning rate falls over all of them together."""

    epochs: int = Field(ge=1, description="its length; with `minutes` its share of the time")
    size: int = Field(default=SIZE, ge=12, le=SIZE, description="width of the faces; smaller ones cost less")
    faces: str = Field(
        default="moods",
        pattern="^(moods|all|taught)$",
        description="the four moods; all seven expressions; or the moods, of all faces, where the teachers alone know "
        "what a face of another expression is read as",
    )
    mixup: float = Field(default=0.0, ge=0, description="parameter of the beta distribution; 0 for none")
    cutmix: float = Field(default=0.0, ge=0, le=1, description="share of the faces with a part of another one")


class Config(Strict):
    network: str
    share: float = Field(default=1.0, gt=0, le=1, description="share of the network's channels and blocks")
    precision: str = Field(default="float32", pattern="^(float32|bfloat16)$", description="in which it is computed")
    phases: tuple[Phase, ...] = Field(min_length=1)
    minutes: float = Field(default=0.0, ge=0, description="length of the whole run; 0: as long as its epochs take")
    seed: int = 1
    batch: int = 64
    learning_rate: float = 1e-3
    warmup_epochs: float = 0.0
    weight_decay: float = 0.0
    clip: float = Field(default=0.0, ge=0, description="largest norm of a weight's gradient; 0 for any")
    averaging: float = Field(default=0.0, ge=0, lt=1, description="share of the average kept at each step; 0 for none")
    label_smoothing: float = 0.0
    share_of_votes: float = Field(default=0.0, ge=0, le=1, description="FER+'s share in the targets")
    share_of_teachers: float = Field(default=0.5, ge=0, le=1, description="the teachers' share in the targets")
    teacher_temperature: float = 1.5
    teachers_mirrored: bool = Field(default=True, description="teachers read each face and its mirror image")
    select: str = Field(default="loss", pattern="^(loss|accuracy)$", description="what chooses the epoch")
    augmentation: dict[str, float] | None = Field(default=None, description="changes of the usual one; absent: mirror")
    start: str = Field(default="", description="weights to begin with: a file, or a run's folder")
    mirrored: bool = Field(default=False, description="the exported file also reads the face's mirror image")
    teachers: tuple[str, ...] = Field(default=(), description="exported networks to learn from")
    data_digest: str = ""


def load_config(path: Path) -> Config:
    """Read a TOML file; raises DataError with one line."""
    try:
        return Config.model_validate(tomllib.loads(path.read_text()))
    except FileNotFoundError:
        known = ", ".join(sorted(one.stem for one in CONFIGS.glob("*.toml")))
        raise DataError(f"no such configuration: {path} (there are {known})") from None
    except (tomllib.TOMLDecodeError, ValidationError) as error:
        raise DataError(f"{path}: {' '.join(str(error).split())}") from None
