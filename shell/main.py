"""The Streamlit script, run for every tab and every change. In a folder of its own, so that Streamlit never runs `pages/`."""

from shell.entry import run

run()
