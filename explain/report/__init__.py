"""Explanation -> one A4 page as PDF, whose text can be selected (reportlab). Import it when it is needed."""
