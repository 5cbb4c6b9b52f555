"""Tests of the Smartcar Charging integration."""
