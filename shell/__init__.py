"""The Streamlit side of the composition: the main script, and what starts and watches the processes."""
