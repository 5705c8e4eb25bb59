"""The file that Streamlit executes. It is this small for a reason.

Streamlit puts the script in the place of `__main__`, and a child process that `multiprocessing` starts afterwards (the
one that draws pages, the ones that parse documents) runs the file behind `__main__` first, under another name.
"""

if __name__ == "__main__":
    from ui.app import main

    main()
