# shellcheck shell=bash disable=SC2016,SC2034,SC2154 # Programs are quoted; variables are shared with the script that sources this.
# terraform.tfvars, read before Terraform does: the same rules (infra/terraform/rules.json), all problems at once, no sign-in needed.

declare -A VARIABLES=()
declare -a VARIABLE_NAMES=()

# check_variables: fills VARIABLES with what is text, number or truth, and goes on only if all values keep to the rules.
check_variables() {
    local file=$ENVIRONMENT_DIR/terraform.tfvars problem problems=()
    # Somebody may have written a secret there: it is refused below, and until then in no argument and no trace.
    untraced read_variables "$file"
    ask 20 jq -rn --slurpfile values "$WORK/variables.json" --slurpfile rules "$ROOT/infra/terraform/rules.json" "$RULES_PROGRAM" ||
        fail rules-unreadable "infra/terraform/rules.json cannot be applied: $(complaint)" "take it from the repository again"
    while IFS= read -r problem; do
        [[ -z $problem ]] || problems+=("$problem")
    done <<<"$ANSWER"$'\n'"$(unknown_variables)"
    if [[ -n ${VARIABLES[environment]:-} && ${VARIABLES[environment]} != "$ENVIRONMENT" ]]; then
        problems+=("environment is \"${VARIABLES[environment]}\", expected \"$ENVIRONMENT\", the name of its directory")
    fi
    ((${#problems[@]} == 0)) || usage_error variables "$(joined ', ' "${problems[@]}")" \
        "correct infra/environments/$ENVIRONMENT/terraform.tfvars"
    SUBSCRIPTION=${VARIABLES[subscription_id]} TENANT=${VARIABLES[tenant_id]}
}

# What is wrong with each value, a line each. A secret's value is not repeated. Maps and objects are left to Terraform.
readonly RULES_PROGRAM='
  def scalar($rule):
    ($rule.pattern == null or (type == "string" and test($rule.pattern)))
    and ($rule.one_of == null or . as $it | $rule.one_of | index([$it]) != null)
    and ($rule.minimum == null or (type == "number" and . >= $rule.minimum and floor == .))
    and ($rule.maximum == null or (type == "number" and . <= $rule.maximum));
  def sized($rule):
    ($rule.minimum_length == null or length >= $rule.minimum_length)
    and ($rule.maximum_length == null or length <= $rule.maximum_length);
  def kept($rule):
    if . == null then $rule.nullable == true
    elif $rule.each then type == "array" and sized($rule) and all(.[]; scalar($rule))
    else (type == "array" | not) and scalar($rule) and (type != "string" or sized($rule)) end;
  $rules[0] as $rules | $values[0] as $values
  | ("subscription_id", "tenant_id", "environment", "location", "temporal_mode"
      | select($values[.] == null) | "\(.) is missing, expected \($rules[.].expected)"),
    ($values | to_entries[] | $rules[.key] as $rule | select($rule != null and (.value | type) != "object")
      | if $rule.secret then "\(.key) is in the file, where no secret belongs: deploy makes its own"
        else select(.value | kept($rule) | not) | "\(.key) is \(.value), expected \($rule.expected)" end)'

# Writes variables.json, from NAME = VALUE with a value that is text, number, truth, null or a list of those. What is in braces is noted as {}.
read_variables() {
    local number line pattern='^[[:space:]]*([a-z_][a-z0-9_]*)[[:space:]]*=[[:space:]]*(.*[^[:space:]])[[:space:]]*$' entries=()
    VARIABLES=() VARIABLE_NAMES=()
    ask 20 awk "$ONE_LINE_EACH" "$1" || fail variables-unreadable "terraform.tfvars cannot be read: $(complaint)" "look at the file"
    while IFS=$'\t' read -r number line; do
        [[ -n $number ]] || continue
        [[ $line =~ $pattern ]] || usage_error variables-unreadable "line $number of terraform.tfvars is not NAME = VALUE" \
            "write one value to a line; lists and maps may go on over several, and have to end"
        note_variable "${BASH_REMATCH[1]}" "${BASH_REMATCH[2]}" "$number"
    done <<<"$ANSWER"
    printf '{%s}' "$(joined ', ' "${entries[@]}")" >"$WORK/variables.json"
    ANSWER=''
}

# Prints each assignment in a line, after the number of its last one, without comments.
readonly ONE_LINE_EACH='{
    quoted = 0
    for (at = 1; at <= length($0); at++) {
        c = substr($0, at, 1)
        if (!quoted && (c == "#" || substr($0, at, 2) == "//")) break
        text = text c
        if (quoted && c == "\\") text = text substr($0, ++at, 1)
        else if (c == "\"") quoted = !quoted
        else if (!quoted && c ~ /[[{]/) depth++
        else if (!quoted && c ~ /[]}]/) depth--
    }
    if (depth <= 0 && text ~ /[^ \t\r]/) { gsub(/[\t\r]/, " ", text); print NR "\t" text; text = "" }
    else text = text " "
}
END { if (text ~ /[^ \t\r]/) print NR "\t?" }'

# Adds to VARIABLES, and to the entries of read_variables, which calls it.
note_variable() {
    local name=$1 value=$2 number=$3 json plain='^("([^"\\$%]|\\.)*"|-?[0-9]+(\.[0-9]+)?|true|false|null)$'
    if [[ $value == \{* ]]; then
        json='{}'
    elif [[ $value == \[* ]]; then
        json=${value%]}
        json=${json%"${json##*[!,[:space:]]}"}]
    elif [[ $value =~ $plain ]]; then
        json=$value
        VARIABLES[$name]=${value//\"/}
        [[ $value != null ]] || VARIABLES[$name]=''
    else
        usage_error variables-unreadable "the value of $name, in line $number of terraform.tfvars, is no plain value" \
            "write text in double quotes, a number, true, false, null or a list of those"
    fi
    VARIABLE_NAMES+=("$name")
    entries+=("\"$name\": $json")
}

# Prints a problem for each name that Terraform would only warn of, the value being without effect.
unknown_variables() {
    local name names
    names=$(awk -F'"' '/^variable "/ {print $2}' "$ROOT"/infra/terraform/*.tf)
    for name in "${VARIABLE_NAMES[@]}"; do
        [[ $'\n'$names$'\n' == *$'\n'$name$'\n'* ]] || printf '%s is no variable of infra/terraform\n' "$name"
    done
}
