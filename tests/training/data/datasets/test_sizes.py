"""The published sizes."""

from __future__ import annotations

from emoclip_sdk.training.data.datasets import DATASETS


def test_published_sizes_add_up() -> None:
    """Every fold of a dataset holds all of its clips."""
    for name, total in (("mafw", 9172), ("dfew", 11697), ("ferv39k", 38935)):
        info = DATASETS[name]
        classes = info.classes["single"]
        for fold in info.folds:
            sizes = info.sizes(fold)
            counts = [sizes.splits[s] for s in ("train", "test")]
            assert [len(c) for c in counts] == [len(classes)] * 2
            assert sum(map(sum, counts)) == total
            if "all" in sizes.splits:
                assert sizes.splits["all"] == tuple(map(sum, zip(*counts, strict=True)))
    assert DATASETS["mafw"].sizes(3, "compound").total("all") == 8996
    sizes = DATASETS["mafw"].sizes(1)
    assert [sizes.captions(split) for split in ("all", "train", "test")] == [8034, 6423, 1611]
    compound = DATASETS["mafw"].sizes(1, "compound")
    assert [compound.total(split) for split in ("train", "test")] == [7178, 1818]
    assert compound.captions("test") is None
