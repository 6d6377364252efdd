/* What the public headers say of the functions behind the ops. The table is written by contracts.py when this is built. */
#ifndef RG_TOOLS_CONTRACTS_H
#define RG_TOOLS_CONTRACTS_H

/* Texts that are not there are "". */
typedef struct contract {
    const char *name; /* without rg_ */
    const char *header, *prototype;
    const char *comment;         /* of this function                                            */
    const char *beside, *shared; /* the comment above one that stands before it in its group    */
    const char *heading;         /* of its section                                              */
    const char *about;           /* of a header that is about one subject: its first comment    */
    const char *types;           /* definitions of the structs and enums that the prototype names */
} contract;

extern const contract contracts[];
extern const int contract_count;

#endif
