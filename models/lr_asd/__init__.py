"""LR-ASD: is this face talking while speech sounds? Weights by path; none are in the package."""
