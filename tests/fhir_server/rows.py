"""Every row of the tables of `shared/reference/hapi.md` -> the tests that pin it.

The first are what a client has to code for, the second what filters do silently, the third what HAPI 8.8.0 was seen
to answer. A row is named by the beginning of its first cell.
"""

from __future__ import annotations

from typing import Final

DIFFERS: Final = "test_servers_differ_only_as_the_table_says"
PAGES: Final = ("test_next_link_leads_to_the_base", "test_links_are_followed_as_they_stand")
HOSTS: Final = (
    "test_links_come_from_the_host_header",
    "test_forwarded_host_changes_no_link",
    "test_links_to_another_host_are_not_followed",
)
EXPIRY: Final = (
    "test_search_that_is_not_known_is_gone",
    "test_expired_search_is_made_once_more",
    "test_search_that_expires_again_is_incomplete",
)
EMPTY_PAGES: Final = (
    "test_pages_hold_every_match_once",
    "test_exactly_full_last_page_links_no_further",
    "test_page_beyond_the_end_is_empty",
    "test_page_beyond_the_end_ends_the_search",
    "test_page_cap_leaves_the_search_incomplete",
)
TOTALS: Final = ("test_total_is_said_where_it_is_known",)
NUMBERS: Final = ("test_number_alone_can_be_asked_for",)
CACHE: Final = (
    DIFFERS,
    "test_new_result_is_found_with_no_cache",
    "test_every_request_asks_for_fresh_fhir_json",
)
COUNTS: Final = ("test_count_above_the_maximum_is_cut", "test_small_pages_of_the_server_are_enough", DIFFERS, *NUMBERS)
SORTS: Final = (
    "test_sorting_goes_over_all_pages",
    "test_newest_change_can_come_first",
    "test_what_is_not_understood_is_refused",
    "test_misunderstood_search_is_rejected",
)
PATIENTS: Final = (
    "test_patient_is_named_in_any_form",
    "test_patient_of_another_server_is_another",
    "test_two_patients_are_or_and_repetition_is_and",
    "test_nothing_found_is_an_empty_bundle",
    "test_missing_patient_has_no_chart",
    DIFFERS,
)
TOKENS: Final = ("test_token_is_matched_whole",)
CATEGORIES: Final = ("test_category_needs_no_system",)
INCLUDES: Final = (
    "test_endpoint_is_included_on_every_page",
    "test_patient_is_included",
    "test_included_resources_are_no_matches",
)
CHANGES: Final = (
    "test_every_type_is_found_by_its_last_change",
    "test_incremental_search_brings_what_changed",
    "test_history_since_is_obeyed_by_hapi",
    DIFFERS,
)
PARTS: Final = (
    "test_part_of_a_resource_is_marked",
    "test_read_can_be_cut_too",
    "test_cut_resource_is_not_kept",
)
BATCHES: Final = (
    "test_batch_answers_each_entry_in_its_place",
    "test_search_in_a_batch_has_pages",
    "test_failing_read_does_not_fail_a_transaction",
    "test_batch_is_read_entry_by_entry",
)
POSTS: Final = (
    "test_search_by_post_finds_the_same",
    "test_address_of_a_posted_search_does_not_repeat_the_form",
    "test_url_and_form_both_count",
    "test_search_by_post_keeps_ids_out_of_addresses",
)
REFUSALS: Final = ("test_what_is_not_understood_is_refused", "test_refusal_lists_the_valid_parameters")
BINARIES: Final = (
    "test_binary_is_a_resource_for_fhir_json_only",
    "test_raw_binary_is_a_download",
    "test_raw_answer_of_a_binary_is_taken_too",
    DIFFERS,
)
APART: Final = ("test_large_binary_is_kept_apart_and_sent_along", "test_large_binary_is_read_whole")
ATTACHMENTS: Final = (
    "test_address_of_an_attachment_is_kept_as_written",
    "test_attachment_is_found_beneath_the_base",
    "test_foreign_attachment_is_not_asked_for",
)
VERSIONS: Final = (
    "test_read_tells_the_version",
    "test_search_tells_the_versions",
    "test_known_version_is_not_sent_again",
    "test_time_of_change_is_not_a_condition",
    "test_same_content_keeps_the_version",
    "test_change_of_an_old_version_is_a_conflict",
    "test_unchanged_resource_is_not_sent_again",
)
GONE: Final = (
    "test_deleted_is_gone",
    "test_unknown_is_not_found",
    "test_deleting_what_is_not_there_is_no_error",
    "test_missing_and_deleted_are_both_gone",
)
DIGITS: Final = (
    "test_digits_are_an_id",
    "test_digits_are_no_id_under_the_alphanumeric_strategy",
    "test_numeric_id_is_read",
)
REFERENCES: Final = (
    "test_reference_to_nothing_is_refused_where_references_are_checked",
    "test_patient_with_results_cannot_be_deleted_where_references_are_checked",
    "test_transaction_resolves_references_within_it",
)
HTML: Final = ("test_html_with_status_200_is_no_resource", DIFFERS)

CODE_FOR: Final = {
    "next link is": PAGES,
    "base in links comes from": HOSTS,
    "the search id dies unused": EXPIRY,
    "page may be empty": EMPTY_PAGES,
    "Bundle.total absent": TOTALS,
    "60 s cache of identical searches": CACHE,
    "`_count` above max_page_size": COUNTS,
    "`_sort=-date` fine": SORTS,
    "`patient` and `subject` both indexed": PATIENTS,
    "token `code=a,b` is OR": TOKENS,
    "`category=laboratory` works": CATEGORIES,
    "`_include=ImagingStudy:endpoint`": INCLUDES,
    "`_revinclude` after `_include`": (DIFFERS,),
    "`_has` chains": (DIFFERS,),
    "`_lastUpdated=ge...`": CHANGES,
    "chained sort needs the target type": (*PARTS, DIFFERS),
    "batch Bundle POST to base": BATCHES,
    "POST [type]/_search": POSTS,
    "Patient/$everything": (DIFFERS,),
    "$docref (US Core/IPA)": REFUSALS,
    "Binary: only": BINARIES,
    "binary_storage_enabled": APART,
    "attachment.url relative": ATTACHMENTS,
    "meta.versionId/lastUpdated": VERSIONS,
    "delete = 410 Gone": GONE,
    "numeric client ids refused": DIGITS,
    "write checks references": REFERENCES,
    "errors may be HTML": HTML,
}
DANGER: Final = {
    "`GET Observation?patient=`": (DIFFERS, "test_empty_parameter_is_never_sent", "test_lost_filter_is_noticed"),
    "`POST Observation/_search`, body": (DIFFERS, "test_search_by_post_keeps_ids_out_of_addresses"),
    "`Patient/P/$everything?_since=2099-01-01`": (DIFFERS,),
    "`Observation?patient=P&_count=5` with `Cache-Control: no-store`": CACHE,
}
SEEN: Final = {
    "next link": (
        *PAGES,
        "test_further_pages_link_both_ways",
        "test_page_is_asked_for_at_the_base_only",
        "test_count_in_a_link_is_obeyed",
    ),
    "base in links": HOSTS,
    "search id dies": EXPIRY,
    "page may be empty": EMPTY_PAGES,
    "total absent": TOTALS,
    "`_total=accurate`": (*TOTALS, *NUMBERS),
    "60 s cache": CACHE,
    "`_count` above maximum, 0": COUNTS,
    "`_sort`": SORTS,
    "unknown search parameter": REFUSALS,
    "`patient` and `subject`": PATIENTS,
    "token": TOKENS,
    "`category=laboratory`": CATEGORIES,
    "date": ("test_date_is_compared_by_its_prefix",),
    "`_include`": INCLUDES,
    "`_revinclude`": (DIFFERS,),
    "`_lastUpdated`, `_since`": CHANGES,
    "chained sort": (DIFFERS, "test_what_is_not_understood_is_refused"),
    "`_elements`, `_summary=true/data`": (*PARTS, DIFFERS),
    "batch": BATCHES,
    "POST _search": POSTS,
    "`$everything`": (DIFFERS,),
    "`$docref`": REFUSALS,
    "Binary": BINARIES,
    "externalized binary": APART,
    "attachment.url": ATTACHMENTS,
    "meta, ETag, If-None-Match": VERSIONS,
    "delete, unknown": GONE,
    "OperationOutcome": ("test_code_of_an_outcome_says_little",),
    "numeric client ids": DIGITS,
    "reference checks": REFERENCES,
    "HTML answers": HTML,
    "Accept": ("test_answer_is_fhir_json_whatever_is_accepted",),
    "stateless paging": ("test_offset_pages_without_a_search_id",),
    # Two rows have this name: codes, and bearer tokens.
    "token (bearer)": (
        "test_every_request_needs_the_token",
        "test_further_page_and_batch_need_the_token",
        "test_wrong_token_means_no_chart",
    ),
    "lenient writes": (DIFFERS, "test_bad_resource_is_not_stored"),
}
