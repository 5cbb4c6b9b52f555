"""Tests of the API client by itself, over real HTTP."""
