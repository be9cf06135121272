"""The thirteen tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")  # SQLite counts up only in INTEGER keys
SHA = sa.String(64)  # sha256 in hexadecimal


def upgrade() -> None:
    op.create_table(
        "artifact",
        sa.Column("sha", SHA, nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("suffix", sa.String(length=12), nullable=False),
        sa.Column("bytes", BIG, nullable=False),
        sa.PrimaryKeyConstraint("sha", name=op.f("pk_artifact")),
    )
    op.create_table(
        "episode",
        sa.Column("id", BIG, nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("film", sa.String(), nullable=False),
        sa.Column("dub", sa.String(), nullable=False),
        sa.Column("out", sa.String(), nullable=False),
        sa.Column("film_sha", SHA, nullable=False),
        sa.Column("dub_sha", SHA, nullable=False),
        sa.Column("frames", sa.Integer(), nullable=False),
        sa.Column("rate_num", sa.Integer(), nullable=False),
        sa.Column("rate_den", sa.Integer(), nullable=False),
        sa.Column("job", sa.JSON(), nullable=False),
        sa.Column("created_us", BIG, nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "queued",
                "running",
                "delivered",
                "partial",
                "failed",
                name="episodestatus",
                native_enum=False,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("reason", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_episode")),
        sa.UniqueConstraint("name", name=op.f("uq_episode_name")),
    )
    op.create_index(op.f("ix_episode_film_sha"), "episode", ["film_sha"])

    op.create_table(
        "event",
        sa.Column("id", BIG, nullable=False),
        sa.Column("episode_id", BIG, nullable=True),
        sa.Column("at_us", BIG, nullable=False),
        sa.Column("who", sa.String(length=100), nullable=False),
        sa.Column("what", sa.String(length=60), nullable=False),
        sa.Column("about", sa.String(length=100), nullable=False),
        sa.Column("before", sa.JSON(), nullable=False),
        sa.Column("after", sa.JSON(), nullable=False),
        sa.Column("previous", SHA, nullable=False),
        sa.Column("hash", SHA, nullable=False),
        sa.ForeignKeyConstraint(["episode_id"], ["episode.id"], name=op.f("fk_event_episode_id_episode")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event")),
        sa.UniqueConstraint("hash", name=op.f("uq_event_hash")),
        sa.UniqueConstraint("previous", name=op.f("uq_event_previous")),
    )
    op.create_index(op.f("ix_event_episode_id"), "event", ["episode_id"])

    op.create_table(
        "shot",
        sa.Column("id", BIG, nullable=False),
        sa.Column("episode_id", BIG, nullable=False),
        sa.Column("name", sa.String(length=24), nullable=False),
        sa.Column("start", sa.Integer(), nullable=False),
        sa.Column("end", sa.Integer(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "planned",
                "passed-through",
                "waiting",
                "rendering",
                "done",
                "held",
                "failed",
                name="shotstatus",
                native_enum=False,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("reason", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["episode_id"], ["episode.id"], name=op.f("fk_shot_episode_id_episode")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shot")),
        sa.UniqueConstraint("episode_id", "name", name=op.f("uq_shot_episode_id_name")),
    )
    op.create_index(op.f("ix_shot_episode_id"), "shot", ["episode_id"])

    op.create_table(
        "speaker",
        sa.Column("id", BIG, nullable=False),
        sa.Column("episode_id", BIG, nullable=False),
        sa.Column("side", sa.Enum("original", "dub", name="side", native_enum=False, length=24), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("heard_by", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(["episode_id"], ["episode.id"], name=op.f("fk_speaker_episode_id_episode")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_speaker")),
        sa.UniqueConstraint("episode_id", "side", "name", name=op.f("uq_speaker_episode_id_side_name")),
    )
    op.create_index(op.f("ix_speaker_episode_id"), "speaker", ["episode_id"])

    op.create_table(
        "step",
        sa.Column("id", BIG, nullable=False),
        sa.Column("episode_id", BIG, nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("key", SHA, nullable=False),
        sa.Column("microseconds", BIG, nullable=False),
        sa.Column("machine", sa.String(), nullable=False),
        sa.Column("finished_us", BIG, nullable=False),
        sa.Column("notes", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["episode_id"], ["episode.id"], name=op.f("fk_step_episode_id_episode")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_step")),
        sa.UniqueConstraint("episode_id", "name", name=op.f("uq_step_episode_id_name")),
    )
    op.create_index(op.f("ix_step_episode_id"), "step", ["episode_id"])

    op.create_table(
        "character",
        sa.Column("id", BIG, nullable=False),
        sa.Column("episode_id", BIG, nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("original_id", BIG, nullable=True),
        sa.Column("dub_id", BIG, nullable=True),
        sa.Column("overlap", sa.Double(), nullable=False),
        sa.Column("bound_by", sa.String(length=100), nullable=False),
        sa.ForeignKeyConstraint(["dub_id"], ["speaker.id"], name=op.f("fk_character_dub_id_speaker")),
        sa.ForeignKeyConstraint(["episode_id"], ["episode.id"], name=op.f("fk_character_episode_id_episode")),
        sa.ForeignKeyConstraint(["original_id"], ["speaker.id"], name=op.f("fk_character_original_id_speaker")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_character")),
        sa.UniqueConstraint("episode_id", "name", name=op.f("uq_character_episode_id_name")),
    )
    op.create_index(op.f("ix_character_episode_id"), "character", ["episode_id"])

    op.create_table(
        "turn",
        sa.Column("id", BIG, nullable=False),
        sa.Column("speaker_id", BIG, nullable=False),
        sa.Column("start_us", BIG, nullable=False),
        sa.Column("end_us", BIG, nullable=False),
        sa.Column("text", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["speaker_id"], ["speaker.id"], name=op.f("fk_turn_speaker_id_speaker"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_turn")),
    )
    op.create_index(op.f("ix_turn_speaker_id"), "turn", ["speaker_id"])

    op.create_table(
        "consent",
        sa.Column("id", BIG, nullable=False),
        sa.Column("episode_id", BIG, nullable=False),
        sa.Column("character_id", BIG, nullable=True),
        sa.Column("performer", sa.String(), nullable=False),
        sa.Column("document", sa.String(), nullable=False),
        sa.Column("document_sha", SHA, nullable=False),
        sa.Column("given_us", BIG, nullable=False),
        sa.Column("revoked_us", BIG, nullable=True),
        sa.ForeignKeyConstraint(
            ["character_id"], ["character.id"], name=op.f("fk_consent_character_id_character"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["episode_id"], ["episode.id"], name=op.f("fk_consent_episode_id_episode")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent")),
    )
    op.create_index(op.f("ix_consent_character_id"), "consent", ["character_id"])
    op.create_index(op.f("ix_consent_episode_id"), "consent", ["episode_id"])

    op.create_table(
        "track",
        sa.Column("id", BIG, nullable=False),
        sa.Column("shot_id", BIG, nullable=False),
        sa.Column("name", sa.String(length=24), nullable=False),
        sa.Column("start", sa.Integer(), nullable=False),
        sa.Column("end", sa.Integer(), nullable=False),
        sa.Column("present", sa.Integer(), nullable=False),
        sa.Column("geometry", SHA, nullable=False),
        sa.Column("height_px", sa.Double(), nullable=False),
        sa.Column("yaw", sa.Double(), nullable=False),
        sa.Column("sharpness", sa.Double(), nullable=False),
        sa.Column("style", sa.String(length=16), nullable=False),
        sa.Column("character_id", BIG, nullable=True),
        sa.Column("confidence", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(
            ["character_id"], ["character.id"], name=op.f("fk_track_character_id_character"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["shot_id"], ["shot.id"], name=op.f("fk_track_shot_id_shot"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_track")),
        sa.UniqueConstraint("shot_id", "name", name=op.f("uq_track_shot_id_name")),
    )
    op.create_index(op.f("ix_track_character_id"), "track", ["character_id"])
    op.create_index(op.f("ix_track_shot_id"), "track", ["shot_id"])

    op.create_table(
        "route",
        sa.Column("id", BIG, nullable=False),
        sa.Column("track_id", BIG, nullable=False),
        sa.Column("model", sa.String(length=40), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("numbers", sa.JSON(), nullable=False),
        sa.Column("ranges", sa.JSON(), nullable=False),
        sa.Column("decided_by", sa.String(length=100), nullable=False),
        sa.ForeignKeyConstraint(["track_id"], ["track.id"], name=op.f("fk_route_track_id_track"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_route")),
        sa.UniqueConstraint("track_id", name=op.f("uq_route_track_id")),
    )
    op.create_table(
        "take",
        sa.Column("id", BIG, nullable=False),
        sa.Column("track_id", BIG, nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("key", SHA, nullable=False),
        sa.Column("model", sa.String(length=40), nullable=False),
        sa.Column("weights_sha", SHA, nullable=False),
        sa.Column("seed", sa.Integer(), nullable=False),
        sa.Column("patch", SHA, nullable=False),
        sa.Column("matte", SHA, nullable=False),
        sa.Column("placements", sa.JSON(), nullable=False),
        sa.Column("microseconds_a_frame", BIG, nullable=False),
        sa.Column("machine", sa.String(), nullable=False),
        sa.Column("rendered_us", BIG, nullable=False),
        sa.Column("circled", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["track_id"], ["track.id"], name=op.f("fk_take_track_id_track"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_take")),
        sa.UniqueConstraint("track_id", "key", name=op.f("uq_take_track_id_key")),
        sa.UniqueConstraint("track_id", "version", name=op.f("uq_take_track_id_version")),
    )
    op.create_index(op.f("ix_take_key"), "take", ["key"])
    op.create_index(op.f("ix_take_track_id"), "take", ["track_id"])

    op.create_table(
        "finding",
        sa.Column("id", BIG, nullable=False),
        sa.Column("episode_id", BIG, nullable=False),
        sa.Column("take_id", BIG, nullable=True),
        sa.Column("meter", sa.String(length=60), nullable=False),
        sa.Column("value", sa.Double(), nullable=False),
        sa.Column("unit", sa.String(length=24), nullable=False),
        sa.Column("target", sa.Double(), nullable=True),
        sa.Column(
            "verdict",
            sa.Enum("green", "red", "no-target", name="verdict", native_enum=False, length=24),
            nullable=False,
        ),
        sa.Column("disposition", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["episode_id"], ["episode.id"], name=op.f("fk_finding_episode_id_episode")),
        sa.ForeignKeyConstraint(["take_id"], ["take.id"], name=op.f("fk_finding_take_id_take")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_finding")),
    )
    op.create_index(op.f("ix_finding_episode_id"), "finding", ["episode_id"])
    op.create_index(op.f("ix_finding_take_id"), "finding", ["take_id"])


def downgrade() -> None:
    for table in (
        "finding",
        "take",
        "route",
        "track",
        "consent",
        "turn",
        "character",
        "step",
        "speaker",
        "shot",
        "event",
        "episode",
        "artifact",
    ):
        op.drop_table(table)
