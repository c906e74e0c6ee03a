# shellcheck shell=bash
# Dates as the tag `expires-at` has them: RFC 3339 in its strictest form. Computed here, since `date` differs between systems.

# epoch_of TEXT: prints the seconds since 1970 of a date like 2026-11-22T18:00:00Z or 2026-11-22T19:00:00.5+01:00.
# Returns 1 for anything else, a 30th of February, a second 60 and years before 2020 included: who means to expire says so clearly.
epoch_of() {
    local pattern='^([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})(\.[0-9]+)?(Z|([+-])([0-9]{2}):([0-9]{2}))$'
    [[ $1 =~ $pattern ]] || return 1
    local -i year=10#${BASH_REMATCH[1]} month=10#${BASH_REMATCH[2]} day=10#${BASH_REMATCH[3]}
    local -i hour=10#${BASH_REMATCH[4]} minute=10#${BASH_REMATCH[5]} second=10#${BASH_REMATCH[6]}
    local -i east=0
    if [[ ${BASH_REMATCH[8]} != Z ]]; then
        local -i hours=10#${BASH_REMATCH[10]} minutes=10#${BASH_REMATCH[11]}
        ((hours <= 23 && minutes <= 59)) || return 1
        east=$((hours * 3600 + minutes * 60))
        [[ ${BASH_REMATCH[9]} == + ]] || east=-east
    fi
    ((year >= 2020 && month >= 1 && month <= 12 && day >= 1 && day <= $(days_of "$year" "$month"))) || return 1
    ((hour <= 23 && minute <= 59 && second <= 59)) || return 1
    echo $(($(days_since_1970 "$year" "$month" "$day") * 86400 + hour * 3600 + minute * 60 + second - east))
}

# days_of YEAR MONTH: prints the number of its days.
days_of() {
    local -a days=(0 31 28 31 30 31 30 31 31 30 31 30 31)
    echo $((days[$2] + ($2 == 2 && ($1 % 4 == 0 && $1 % 100 != 0 || $1 % 400 == 0))))
}

# days_since_1970 YEAR MONTH DAY: prints the number of days. Counts in years that begin in March, so that a leap day is the last.
days_since_1970() {
    local -i year=$1-$(($2 <= 2)) month=$2 day=$3 era of_year of_era
    era=year/400
    of_year=$(((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1))
    of_era=$(((year % 400) * 365 + year % 400 / 4 - year % 400 / 100 + of_year))
    echo $((era * 146097 + of_era - 719468))
}
