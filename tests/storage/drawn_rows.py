"""Rows for tests, as small as the schema lets them be."""

from sqlalchemy.orm import Session

from storage.catalog import Episode, Shot, Take, Track
from storage.catalog.base import now_us


def add_episode(session: Session, name: str = "ep01", film: str = "f" * 64, dub: str = "d" * 64) -> Episode:
    episode = Episode(
        name=name,
        film="/films/ep01.mov",
        dub="/films/ep01.fr.wav",
        out="/out/ep01.fr.mov",
        film_sha=film,
        dub_sha=dub,
        frames=100,
        rate_num=24000,
        rate_den=1001,
        job={},
        created_us=now_us(),
    )
    session.add(episode)
    session.flush()
    return episode


def add_shot(session: Session, episode: Episode, name: str = "sh0010", start: int = 0, end: int = 50) -> Shot:
    shot = Shot(name=name, start=start, end=end)
    shot.episode_id = episode.id
    session.add(shot)
    session.flush()
    return shot


def add_track(session: Session, shot: Shot, name: str = "f1") -> Track:
    track = Track(
        shot_id=shot.id,
        name=name,
        start=shot.start,
        end=shot.end,
        present=shot.end - shot.start,
        geometry="0" * 64,
        height_px=200.0,
        yaw=3.0,
        sharpness=80.0,
        style="photoreal",
    )
    session.add(track)
    session.flush()
    return track


def draw_take(track: Track, version: int = 1, key: str = "a" * 64) -> Take:
    return Take(
        track_id=track.id,
        version=version,
        key=key,
        model="diff2lip",
        weights_sha="b" * 64,
        seed=7,
        patch="1" * 64,
        matte="2" * 64,
        placements=[[track.start, 10, 20]],
        microseconds_a_frame=1000,
        machine="test",
        rendered_us=now_us(),
    )
