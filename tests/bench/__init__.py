"""The benchmark: a real Home Assistant, our simulator of Smartcar in a process of its own, and what they cost."""
