"""The floor: a Streamlit page of eight figures and nothing else, which every page of ours is compared with."""

import streamlit as st

for column, number in zip(st.columns(8), range(8), strict=True):
    column.metric(f"Figure {number + 1}", f"{1000 * number:,}", f"{number} %")
